import { MembershipClient, type ChangeResponse, type Channel } from '@app/rpc';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { EXIT } from '../exit-code.js';
import { callNode } from '../nodes/unary-call.js';
import { awaitVoter, type Newcomer } from './await-voter.js';
import { joinStateText } from './join-state.js';

export interface WaitFlags {
  readonly wait: boolean;
  /** Milliseconds. */
  readonly waitTimeout: number;
}

export interface AddFlags extends WaitFlags {
  readonly learner: boolean;
}

type Change = (client: MembershipClient, channel: Channel, timeoutMs: number) => Promise<ChangeResponse>;

/** As a learner, which becomes a voter by itself unless it is to stay one. */
export async function addMember(
  context: CommandContext,
  newcomer: Newcomer,
  { wait, waitTimeout, learner }: AddFlags,
): Promise<void> {
  const { cluster, nodeId, address } = newcomer;
  const response = await change(context, cluster, (client, channel, forMs) =>
    callNode(channel, client.addNode.bind(client), { nodeId, address, staysLearner: learner }, forMs),
  );
  if (learner || !wait) report(context, cluster, response, `${nodeId} is a learner of ${cluster}`);
  else await afterJoin(context, newcomer, waitTimeout, response);
}

/** As a learner that takes the place of `newcomer.replaced`. */
export async function replaceMember(
  context: CommandContext,
  newcomer: Newcomer,
  { wait, waitTimeout }: WaitFlags,
): Promise<void> {
  const { cluster, nodeId, address, replaced = '' } = newcomer;
  const request = { nodeId: replaced, newNodeId: nodeId, newAddress: address };
  const response = await change(context, cluster, (client, channel, forMs) =>
    callNode(channel, client.replaceNode.bind(client), request, forMs),
  );
  if (!wait) report(context, cluster, response, `${nodeId} is catching up to take the place of ${replaced}`);
  else await afterJoin(context, newcomer, waitTimeout, response);
}

async function afterJoin(
  context: CommandContext,
  newcomer: Newcomer,
  timeoutMs: number,
  response: ChangeResponse,
): Promise<void> {
  const { cluster, nodeId, address, replaced } = newcomer;
  const state = await awaitVoter(context, newcomer, timeoutMs);
  if (state.kind === 'absent') {
    throw new CommandFailure(EXIT.FAILED, `${nodeId} was added, and is no member any more`, {
      outcome: 'applied',
      hint: `somebody has removed it meanwhile, or its place was taken back: \`ringctl member list ${cluster}\``,
    });
  }
  const place = replaced === undefined ? '' : ` in the place of ${replaced}`;
  report(context, cluster, response, `${nodeId} ${joinStateText(state, address)} of ${cluster}${place}`);
}

export async function removeMember(context: CommandContext, cluster: string, nodeId: string): Promise<void> {
  const response = await change(context, cluster, (client, channel, forMs) =>
    callNode(channel, client.removeNode.bind(client), { nodeId }, forMs),
  );
  report(context, cluster, response, `${nodeId} is no member of ${cluster} any more: stop it there`);
}

export async function promoteMember(context: CommandContext, cluster: string, nodeId: string): Promise<void> {
  const response = await change(context, cluster, (client, channel, forMs) =>
    callNode(channel, client.promoteNode.bind(client), { nodeId }, forMs),
  );
  report(context, cluster, response, `${nodeId} is a voter of ${cluster}`);
}

export async function updateMember(
  context: CommandContext,
  cluster: string,
  nodeId: string,
  address: string,
): Promise<void> {
  const response = await change(context, cluster, (client, channel, forMs) =>
    callNode(channel, client.updateNode.bind(client), { nodeId, address }, forMs),
  );
  report(context, cluster, response, `${nodeId} of ${cluster} is at ${address}`);
}

async function change(context: CommandContext, cluster: string, call: Change): Promise<ChangeResponse> {
  const { timeoutMs, io } = context;
  const nodes = await context.nodes();
  return nodes.onLeader(cluster, { timeoutMs, interrupted: io.interrupted }, (channel, forMs) =>
    call(channel.client(MembershipClient), channel, forMs),
  );
}

function report(context: CommandContext, cluster: string, response: ChangeResponse, done: string): void {
  if (context.isJson) {
    context.printJson({ cluster, configuration_index: response.configurationIndex, message: done });
  } else {
    context.print(done);
  }
}
