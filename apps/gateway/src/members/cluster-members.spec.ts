import { loadConfig } from '@app/platform';
import { Role, StatusResponse } from '@app/rpc';
import { GatewayConfig } from '../gateway.config.js';
import { CurrentPlacement } from '../hashing/current-placement.js';
import { ClusterMembers } from './cluster-members.js';

const SEED = 'h:1';

/** What a node says; `members` as `id@address`, with a star behind learners. */
function told(members: string[], more: Partial<StatusResponse> = {}): StatusResponse {
  return StatusResponse.create({
    clusterId: 'c1',
    nodeId: 'n1',
    role: Role.LEADER,
    term: 2,
    configurationIndex: 5,
    members: members.map((text) => {
      const [nodeId = '', address = ''] = text.replace('*', '').split('@');
      return { nodeId, address, isLearner: text.endsWith('*') };
    }),
    ...more,
  });
}

describe('ClusterMembers', () => {
  let members: ClusterMembers;
  beforeEach(() => {
    const config = loadConfig(GatewayConfig, { env: { RINGRAFT_CLUSTERS: `c1=n1@${SEED};c2=h:2` } });
    members = new ClusterMembers(new CurrentPlacement(config));
  });

  const shown = (nodes = members.of('c1')) => nodes.map(({ id, address }) => `${id}@${address}`);
  const hear = (status: StatusResponse, nowMs = 0) => members.heard('c1', SEED, status, nowMs);

  it('begins with the seeds, and knows the rest from the first answer', () => {
    expect(shown()).toEqual(['n1@h:1']);
    expect(members.of('c2').map(({ address }) => address)).toEqual(['h:2']);
    expect(hear(told(['n1@h:1', 'n2@h:3', 'n4@h:4*']))).toBeUndefined();
    expect(shown()).toEqual(['n1@h:1', 'n2@h:3', 'n4@h:4']);
    expect(shown(members.votersOf('c1'))).toEqual(['n1@h:1', 'n2@h:3']);
    expect(members.addresses.sort()).toEqual(['h:1', 'h:2', 'h:3', 'h:4']);
    expect(shown(members.seedsOf('c1'))).toEqual(['n1@h:1']);
  });

  it('corrects what a seed was called, and forgets it when it is no member', () => {
    hear(told(['other@h:1', 'n2@h:2']));
    expect(shown()).toEqual(['other@h:1', 'n2@h:2']);
    hear(told(['n2@h:2', 'n3@h:3'], { configurationIndex: 6 }));
    expect(shown()).toEqual(['n2@h:2', 'n3@h:3']);
  });

  it('of two configurations follows the newer, whoever tells of it', () => {
    hear(told(['n1@h:1', 'n2@h:2']));
    hear(told(['n1@h:1'], { role: Role.FOLLOWER, configurationIndex: 4 }));
    expect(shown()).toEqual(['n1@h:1', 'n2@h:2']);
    hear(told(['n1@h:1', 'n3@h:3'], { role: Role.FOLLOWER, configurationIndex: 7 }));
    expect(shown()).toEqual(['n1@h:1', 'n3@h:3']);
    hear(told(['n1@h:1', 'n2@h:2'], { configurationIndex: 6 }));
    expect(shown()).toEqual(['n1@h:1', 'n3@h:3']);
    hear(told(['n1@h:9', 'n3@h:3'], { configurationIndex: 8 }));
    expect(shown()).toEqual(['n1@h:9', 'n3@h:3']);
  });

  it('takes the word of a later leader against an entry that was given up, and not that of an earlier one', () => {
    hear(told(['n1@h:1', 'lost@h:7'], { term: 3, configurationIndex: 9 }));
    hear(told(['n1@h:1', 'n2@h:2'], { term: 4, configurationIndex: 8 }));
    expect(shown()).toEqual(['n1@h:1', 'n2@h:2']);
    hear(told(['n1@h:1', 'lost@h:7'], { term: 3, configurationIndex: 9 }));
    hear(told(['n1@h:1', 'lost@h:7'], { term: 3, configurationIndex: 9, role: Role.FOLLOWER }));
    expect(shown()).toEqual(['n1@h:1', 'n2@h:2']);
  });

  it('takes the word of an earlier leader when nobody has confirmed the later one for long: the cluster was restored', () => {
    hear(told(['n1@h:1'], { term: 9 }), 0);
    hear(told(['n1@h:1'], { term: 9 }), 60_000);
    hear(told(['new@h:8'], { term: 1, configurationIndex: 0 }), 65_000);
    expect(shown()).toEqual(['n1@h:1']);
    hear(told(['new@h:8'], { term: 1, configurationIndex: 0 }), 75_000);
    expect(shown()).toEqual(['new@h:8']);
  });

  it('learns nothing from who waits to be added, and from who was removed', () => {
    hear(told([], { configurationIndex: 99, role: Role.FOLLOWER }));
    hear(told(['n1@h:1', 'old@h:7'], { configurationIndex: 99, expulsion: 'removed', role: Role.FOLLOWER }));
    expect(shown()).toEqual(['n1@h:1']);
  });

  it('keeps the address of a member of whom none was told, and leaves out one whose address nobody knows', () => {
    hear(told(['n1@', 'n2@']));
    expect(shown()).toEqual(['n1@h:1']);
  });

  it('refuses a node of another cluster, and names it until a right one is there', () => {
    const complaint = hear(told(['n1@h:1', 'x@h:9'], { clusterId: 'c7', nodeId: 'n7' }));
    expect(complaint).toBe('at h:1 is node n7 of cluster c7, not one of c1');
    expect(members.foreignNodes).toEqual([complaint]);
    expect(shown()).toEqual(['n1@h:1']);
    hear(told(['n1@h:1']));
    expect(members.foreignNodes).toEqual([]);
  });

  it('finds a leader that is named at the address that came with the name, else at the known one', () => {
    hear(told(['n1@h:1', 'n2@h:2']));
    expect(members.named('c1', 'n2', '')).toEqual({ id: 'n2', address: 'h:2' });
    expect(members.named('c1', 'n2', 'h:5')).toEqual({ id: 'n2', address: 'h:5' });
    expect([members.named('c1', 'n9', ''), members.named('c1', '', 'h:5')]).toEqual([undefined, undefined]);
  });
});
