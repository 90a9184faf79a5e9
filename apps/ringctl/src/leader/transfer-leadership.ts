import { MembershipClient } from '@app/rpc';
import type { CommandContext } from '../context.js';
import { callNode } from '../nodes/unary-call.js';

/** Without `node`, to whomever the leader chooses. */
export async function transferLeadership(context: CommandContext, cluster: string, node = ''): Promise<void> {
  const { timeoutMs, io } = context;
  const nodes = await context.nodes();
  const { leaderId, term } = await nodes.onLeader(
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
