import { Command } from 'commander';
import type { CommandContext } from '../context.js';

/** `ringctl leader` */
export function leaderCommand(context: CommandContext): Command {
  const command = new Command('leader').description('Says who leads.');
  command
    .command('transfer')
    .description('Hands the leadership of a cluster over, and says who leads then.')
    .argument('<cluster>')
    .argument('[node]', 'the voter that is to lead; without it, the most up-to-date one within reach')
    .action(async (cluster: string, node: string | undefined) => {
      const { transferLeadership } = await import('./transfer-leadership.js');
      await transferLeadership(context, cluster, node);
    });
  return command;
}
