import { Command } from 'commander';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { EXIT } from '../exit-code.js';
import type { SystemView } from '../system/system-view.js';
import { statusText } from './status-table.js';

/** `ringctl status` */
export function statusCommand(context: CommandContext): Command {
  return new Command('status')
    .description(
      'Shows all clusters and their nodes, within 2 s also while they are down. Exit code 4 when a cluster serves nothing.',
    )
    .argument('[cluster...]', 'only these')
    .action((ids: string[]) => status(context, ids));
}

async function status(context: CommandContext, ids: readonly string[]): Promise<void> {
  const beganAt = performance.now();
  const view = only(await context.system(), ids);
  const tookMs = Math.round(performance.now() - beganAt);
  if (view.clusters.some(({ health }) => health === 'unavailable')) context.exitCode = EXIT.UNAVAILABLE;
  if (context.isJson) context.printJson({ ...view, took_ms: tookMs });
  else context.print(`${statusText(view, context.colorsFor(context.io.stdout))}\nasked in ${tookMs} ms`);
}

function only(view: SystemView, ids: readonly string[]): SystemView {
  if (ids.length === 0) return view;
  const missing = ids.filter((id) => !view.clusters.some((cluster) => cluster.id === id));
  if (missing.length > 0) {
    throw new CommandFailure(EXIT.NOT_FOUND, `there is no cluster ${missing.join(', ')}`, {
      hint: `there are: ${view.clusters.map(({ id }) => id).join(', ') || 'none'}`,
    });
  }
  return { ...view, clusters: view.clusters.filter(({ id }) => ids.includes(id)) };
}
