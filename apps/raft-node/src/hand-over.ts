import { Metadata } from '@grpc/grpc-js';
import { formatHostPort, parseHostPort } from '@app/platform';
import { Channel, MembershipClient, Role, type StatusResponse, type TransferLeadershipResponse } from '@app/rpc';
import type { RaftNodeConfig } from './raft-node.config.js';

const CALL_TIMEOUT_MS = 10_000;

/**
 * Carries out `--hand-over`: asks the node that runs with this configuration, on this machine, to hand its leadership over, for a hook that
 * is called before the process is stopped. Resolves with the exit code: 0 when the node does not lead, or does not any more; 1, with the reason
 * on stderr, when nobody took over.
 */
export async function handOver(config: RaftNodeConfig): Promise<0 | 1> {
  const channel = new Channel(addressFromHere(config.listen));
  const client = channel.client(MembershipClient);
  const options = { deadline: Date.now() + CALL_TIMEOUT_MS };
  try {
    const { role } = await answered<StatusResponse>((done) => client.status({}, new Metadata(), options, done));
    if (role !== Role.LEADER) {
      process.stdout.write(`${config.nodeId} does not lead.\n`);
      return 0;
    }
    const { leaderId } = await answered<TransferLeadershipResponse>((done) =>
      client.transferLeadership({ nodeId: '' }, new Metadata(), options, done),
    );
    process.stdout.write(`${leaderId} has taken the leadership over from ${config.nodeId}.\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`raft-node: ${config.nodeId} did not hand over: ${(error as Error).message}\n`);
    return 1;
  } finally {
    channel.close();
  }
}

/** Who listens on all addresses is reached on the loopback one. */
function addressFromHere(listen: string): string {
  const { host, port } = parseHostPort(listen);
  if (host === '0.0.0.0') return formatHostPort({ host: '127.0.0.1', port });
  if (host === '::') return formatHostPort({ host: '::1', port });
  return listen;
}

function answered<T>(call: (done: (error: Error | null, answer: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => call((error, answer) => (error ? reject(error) : resolve(answer))));
}
