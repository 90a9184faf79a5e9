import type { CommandContext } from '../context.js';
import { memberText } from './member-table.js';

/** Asks the members themselves. */
export async function listMembers(context: CommandContext, id: string): Promise<void> {
  const cluster = await context.cluster(id);
  if (context.isJson) context.printJson(cluster);
  else context.print(memberText(cluster, context.colorsFor(context.io.stdout)));
}
