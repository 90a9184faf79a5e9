import { Command } from 'commander';
import { MembershipClient, type ChangeResponse, type Channel } from '@app/rpc';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { EXIT } from '../exit-code.js';
import { parseAddress, parseDuration } from '../global-options.js';
import { callNode } from '../nodes/unary-call.js';
import { awaitVoter, type Newcomer } from './await-voter.js';
import { joinStateText } from './join-state.js';
import { memberText } from './member-table.js';

const WAIT_MS = 600_000;

interface WaitFlags {
  readonly wait: boolean;
  readonly waitTimeout: number;
}

interface AddFlags extends WaitFlags {
  readonly learner: boolean;
}

type Change = (client: MembershipClient, channel: Channel, timeoutMs: number) => Promise<ChangeResponse>;

/** `ringctl member`: who belongs to a cluster. */
export function memberCommand(context: CommandContext): Command {
  const command = new Command('member').description('Shows and changes the members of a cluster, one at a time.');
  command
    .command('list')
    .description('Shows the members as the leader knows them; without one, as last known.')
    .argument('<cluster>')
    .action((cluster: string) => list(context, cluster));
  withWaiting(
    command
      .command('add')
      .description('Adds a node as a learner, which becomes a voter by itself once it has caught up.')
      .argument('<cluster>')
      .argument('<node>', 'its id, never used before in this cluster unless its directory was wiped')
      .argument('<address>', 'host:port of its gRPC server, where it runs with --join', parseAddress)
      .option('--learner', 'it stays a learner until it is promoted', false),
  ).action((cluster: string, nodeId: string, address: string, flags: AddFlags) =>
    add(context, { cluster, nodeId, address }, flags),
  );
  withWaiting(
    command
      .command('replace')
      .description('Adds a node that takes the place of a voter, dead or alive, once it has caught up.')
      .argument('<cluster>')
      .argument('<old>', 'the voter that leaves')
      .argument('<new>', 'the node that comes')
      .argument('<address>', 'host:port of its gRPC server, where it runs with --join', parseAddress),
  ).action((cluster: string, replaced: string, nodeId: string, address: string, flags: WaitFlags) =>
    replace(context, { cluster, nodeId, address, replaced }, flags),
  );
  command
    .command('remove')
    .description('Removes a member; the leader, too.')
    .argument('<cluster>')
    .argument('<node>')
    .action((cluster: string, nodeId: string) =>
      changed(
        context,
        cluster,
        `${nodeId} is no member of ${cluster} any more: stop it there`,
        (client, channel, forMs) => callNode(channel, client.removeNode.bind(client), { nodeId }, forMs),
      ),
    );
  command
    .command('promote')
    .description('Makes a learner that has caught up a voter.')
    .argument('<cluster>')
    .argument('<node>')
    .action((cluster: string, nodeId: string) =>
      changed(context, cluster, `${nodeId} is a voter of ${cluster}`, (client, channel, forMs) =>
        callNode(channel, client.promoteNode.bind(client), { nodeId }, forMs),
      ),
    );
  command
    .command('update')
    .description('Tells all members where one of them has moved to.')
    .argument('<cluster>')
    .argument('<node>')
    .argument('<address>', 'host:port of its gRPC server', parseAddress)
    .action((cluster: string, nodeId: string, address: string) =>
      changed(context, cluster, `${nodeId} of ${cluster} is at ${address}`, (client, channel, forMs) =>
        callNode(channel, client.updateNode.bind(client), { nodeId, address }, forMs),
      ),
    );
  return command;
}

function withWaiting(command: Command): Command {
  return command
    .option('--no-wait', 'do not wait until it is a voter')
    .option('--wait-timeout <duration>', 'how long to wait for that, in ms, s, m or h', parseDuration, WAIT_MS);
}

async function list(context: CommandContext, id: string): Promise<void> {
  const cluster = await context.cluster(id);
  if (context.isJson) context.printJson(cluster);
  else context.print(memberText(cluster, context.colorsFor(context.io.stdout)));
}

async function add(
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

async function replace(context: CommandContext, newcomer: Newcomer, { wait, waitTimeout }: WaitFlags): Promise<void> {
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

async function changed(context: CommandContext, cluster: string, done: string, call: Change): Promise<void> {
  report(context, cluster, await change(context, cluster, call), done);
}

function change(context: CommandContext, cluster: string, call: Change): Promise<ChangeResponse> {
  const { timeoutMs, io } = context;
  return context.nodes.onLeader(cluster, { timeoutMs, interrupted: io.interrupted }, (channel, forMs) =>
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
