import { Command } from 'commander';
import { MembershipClient } from '@app/rpc';
import type { CommandContext } from '../context.js';
import { callNode } from '../nodes/unary-call.js';

/** `ringctl leader` */
export function leaderCommand(context: CommandContext): Command {
  const command = new Command('leader').description('Says who leads.');
  command
    .command('transfer')
    .description('Hands the leadership of a cluster over, and says who leads then.')
    .argument('<cluster>')
    .argument('[node]', 'the voter that is to lead; without it, the most up-to-date one within reach')
    .action((cluster: string, node: string | undefined) => transfer(context, cluster, node));
  return command;
}

async function transfer(context: CommandContext, cluster: string, node = ''): Promise<void> {
  const { timeoutMs, io } = context;
  const { leaderId, term } = await context.nodes.onLeader(
    cluster,
    { timeoutMs, interrupted: io.interrupted },
    (channel, forMs) => {
      const client = channel.client(MembershipClient);
      return callNode(channel, client.transferLeadership.bind(client), { nodeId: node }, forMs);
    },
  );
  if (context.isJson) context.printJson({ cluster, leader: leaderId, term });
  else context.print(`${cluster} is led by ${leaderId} in term ${term}`);
}
