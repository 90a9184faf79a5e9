import { Command } from 'commander';
import type { CommandContext } from '../context.js';
import { parseAddress, parseDuration } from '../global-options.js';
import type { AddFlags, WaitFlags } from './member-changes.js';

const WAIT_MS = 600_000;

/** `ringctl member`: who belongs to a cluster. */
export function memberCommand(context: CommandContext): Command {
  const changes = () => import('./member-changes.js');
  const command = new Command('member').description('Shows and changes the members of a cluster, one at a time.');
  command
    .command('list')
    .description('Shows the members as the leader knows them; without one, as last known.')
    .argument('<cluster>')
    .action(async (cluster: string) => {
      const { listMembers } = await import('./list-members.js');
      await listMembers(context, cluster);
    });
  withWaiting(
    command
      .command('add')
      .description('Adds a node as a learner, which becomes a voter by itself once it has caught up.')
      .argument('<cluster>')
      .argument('<node>', 'its id, never used before in this cluster unless its directory was wiped')
      .argument('<address>', 'host:port of its gRPC server, where it runs with --join', parseAddress)
      .option('--learner', 'it stays a learner until it is promoted', false),
  ).action(async (cluster: string, nodeId: string, address: string, flags: AddFlags) =>
    (await changes()).addMember(context, { cluster, nodeId, address }, flags),
  );
  withWaiting(
    command
      .command('replace')
      .description('Adds a node that takes the place of a voter, dead or alive, once it has caught up.')
      .argument('<cluster>')
      .argument('<old>', 'the voter that leaves')
      .argument('<new>', 'the node that comes')
      .argument('<address>', 'host:port of its gRPC server, where it runs with --join', parseAddress),
  ).action(async (cluster: string, replaced: string, nodeId: string, address: string, flags: WaitFlags) =>
    (await changes()).replaceMember(context, { cluster, nodeId, address, replaced }, flags),
  );
  command
    .command('remove')
    .description('Removes a member; the leader, too.')
    .argument('<cluster>')
    .argument('<node>')
    .action(async (cluster: string, nodeId: string) => (await changes()).removeMember(context, cluster, nodeId));
  command
    .command('promote')
    .description('Makes a learner that has caught up a voter.')
    .argument('<cluster>')
    .argument('<node>')
    .action(async (cluster: string, nodeId: string) => (await changes()).promoteMember(context, cluster, nodeId));
  command
    .command('update')
    .description('Tells all members where one of them has moved to.')
    .argument('<cluster>')
    .argument('<node>')
    .argument('<address>', 'host:port of its gRPC server', parseAddress)
    .action(async (cluster: string, nodeId: string, address: string) =>
      (await changes()).updateMember(context, cluster, nodeId, address),
    );
  return command;
}

function withWaiting(command: Command): Command {
  return command
    .option('--no-wait', 'do not wait until it is a voter')
    .option('--wait-timeout <duration>', 'how long to wait for that, in ms, s, m or h', parseDuration, WAIT_MS);
}
