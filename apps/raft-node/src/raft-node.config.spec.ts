import { ConfigError, loadConfig } from '@app/platform';
import { RaftNodeConfig } from './raft-node.config.js';

const env = {
  RINGRAFT_CLUSTER_ID: 'c1',
  RINGRAFT_NODE_ID: 'c1-n1',
  RINGRAFT_DATA_DIR: 'data/c1-n1',
  RINGRAFT_PEERS: 'c1-n1=127.0.0.1:7001,c1-n2=127.0.0.1:7002,c1-n3=[::1]:7003',
};

const load = (changes: Record<string, string> = {}) =>
  loadConfig(RaftNodeConfig, { argv: [], env: { ...env, ...changes } });

function faultsOf(changes: Record<string, string>): readonly string[] {
  try {
    load(changes);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('RaftNodeConfig', () => {
  it('reads the members of the cluster', () => {
    expect(load().peers).toEqual([
      { nodeId: 'c1-n1', address: '127.0.0.1:7001' },
      { nodeId: 'c1-n2', address: '127.0.0.1:7002' },
      { nodeId: 'c1-n3', address: '[::1]:7003' },
    ]);
  });

  it('turns milliseconds into ticks without making the election timeout shorter', () => {
    const config = load({ RINGRAFT_ELECTION_TIMEOUT_MS: '510', RINGRAFT_HEARTBEAT_MS: '50' });
    const { electionTimeoutTicks, heartbeatTicks } = config.toRaftConfig();
    expect(electionTimeoutTicks * config.tickMs).toBeGreaterThanOrEqual(510);
    expect(heartbeatTicks * config.tickMs).toBeLessThanOrEqual(50);
  });

  it.each([
    ['an unnamed member', { RINGRAFT_PEERS: '127.0.0.1:7001' }, 'peers'],
    ['a member twice', { RINGRAFT_PEERS: 'c1-n1=127.0.0.1:1,c1-n1=127.0.0.1:2' }, 'peers'],
    ['an address twice', { RINGRAFT_PEERS: 'c1-n1=127.0.0.1:1,c1-n2=127.0.0.1:1' }, 'peers'],
    ['a cluster without this node', { RINGRAFT_NODE_ID: 'c1-n9' }, 'must name this node (c1-n9)'],
    ['an election timeout near the heartbeat', { RINGRAFT_ELECTION_TIMEOUT_MS: '100' }, 'at least three heartbeats'],
    ['a node without a name', { RINGRAFT_NODE_ID: '' }, 'nodeId'],
    ['a value size of nothing', { RINGRAFT_VALUE_BYTES_MAX: '0' }, 'valueBytesMax'],
  ])('refuses %s and says so', (_what, changes, expected) => {
    expect(faultsOf(changes).join('\n')).toContain(expected);
  });
});
