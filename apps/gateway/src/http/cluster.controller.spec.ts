import { firstPlacement, type PlacedCluster } from '@app/placement';
import { Role, StatusResponse } from '@app/rpc';
import type { CurrentPlacement } from '../hashing/current-placement.js';
import type { ClusterOverview, ClusterStatus, NodeStatus } from '../routing/cluster-overview.js';
import { ClusterController } from './cluster.controller.js';

const NODES = ['n1', 'n2', 'n3'].map((id, i) => ({ id, address: `127.0.0.1:${7001 + i}` }));
const CLUSTER: PlacedCluster = { id: 'c1', weight: 1, nodes: NODES };

/** A cluster led by n1, which hears `active`; the nodes in `silent` do not answer. */
function statusOf(options: { active: string[]; silent?: string[]; sick?: string[]; isLed?: boolean }): ClusterStatus {
  const { active, silent = [], sick = [], isLed = true } = options;
  const nodes = NODES.map((node): NodeStatus => {
    if (silent.includes(node.id)) return { node, status: undefined, failure: 'no connection' };
    const status = StatusResponse.create({
      role: isLed && node.id === 'n1' ? Role.LEADER : Role.FOLLOWER,
      term: 2,
      commitIndex: node.id === 'n1' ? 10 : 9,
      appliedIndex: node.id === 'n1' ? 10 : 7,
      unhealthyReasons: sick.includes(node.id) ? ['the disk is slow'] : [],
      members: NODES.map(({ id }) => ({ nodeId: id, isActive: active.includes(id) })),
    });
    return { node, status, failure: undefined };
  });
  return { cluster: CLUSTER, slots: 16_384, nodes, leader: isLed ? nodes[0] : undefined };
}

async function viewOf(status: ClusterStatus) {
  const placement = { map: firstPlacement([CLUSTER]) } as CurrentPlacement;
  const overview = { all: () => Promise.resolve([status]) } as unknown as ClusterOverview;
  return (await new ClusterController(placement, overview).cluster({})).clusters[0]!;
}

describe('GET /v1/cluster', () => {
  it.each([
    ['healthy', { active: ['n2', 'n3'] }],
    ['degraded', { active: ['n2'], silent: ['n3'] }],
    ['degraded', { active: ['n2', 'n3'], silent: ['n3'] }],
    ['degraded', { active: ['n2', 'n3'], sick: ['n2'] }],
    ['unavailable', { active: [] }],
    ['unavailable', { active: [], silent: ['n2', 'n3'] }],
    ['unavailable', { active: [], isLed: false }],
    ['unavailable', { active: [], silent: ['n1', 'n2', 'n3'], isLed: false }],
  ])('%s: %j', async (health, options) => {
    expect((await viewOf(statusOf(options))).health).toBe(health);
  });

  it('shows who is in quarantine, who is no member any more, and what states hash to', async () => {
    const status = statusOf({ active: ['n2'], silent: ['n3'], sick: ['n2'] });
    Object.assign(status.nodes[0]!.status!, { contentHash: 'aa', historyHash: 'bb' });
    Object.assign(status.nodes[1]!.status!, { isQuarantined: true, expulsion: 'stop it' });
    const view = await viewOf(status);
    expect(view.health).toBe('degraded');
    const none = { is_quarantined: false, expulsion: null, content_hash: null, history_hash: null };
    expect(view.nodes).toMatchObject([
      { ...none, content_hash: 'aa', history_hash: 'bb' },
      { ...none, is_quarantined: true, expulsion: 'stop it' },
      { ...none, is_quarantined: null },
    ]);
  });

  it('tells how far a node is behind its leader, and why it does not answer', async () => {
    const view = await viewOf(statusOf({ active: ['n2'], silent: ['n3'] }));
    expect(view.nodes.map(({ lag }) => lag)).toEqual([0, 3, null]);
    expect(view.nodes.map(({ role }) => role)).toEqual(['leader', 'follower', null]);
    expect(view.nodes[2]).toMatchObject({ is_reachable: false, unhealthy_reasons: ['no connection'] });
  });

  it('tells what the leader knows of its members, those that do not answer included', async () => {
    const status = statusOf({ active: ['n2'], silent: ['n3'] });
    const members = [
      { nodeId: 'n2', isActive: true, matchIndex: 9 },
      { nodeId: 'n3', isActive: false, matchIndex: 4, isLearner: true, isJoining: true, replaces: 'n4' },
    ];
    Object.assign(status.leader!.status!, StatusResponse.create({ configurationIndex: 8, stateBytes: 77, members }), {
      role: Role.LEADER,
    });
    const view = await viewOf(status);
    expect(view).toMatchObject({ configuration_index: 8, is_changing: true });
    expect(view.nodes).toMatchObject([
      { id: 'n1', state_bytes: 77, is_learner: null, match_index: null },
      { id: 'n2', is_learner: false, is_joining: false, replaces: null, match_index: 9, is_active: true },
      { id: 'n3', is_learner: true, is_joining: true, replaces: 'n4', match_index: 4, is_active: false },
    ]);
  });

  it('says nothing of the membership while nobody leads', async () => {
    const view = await viewOf(statusOf({ active: [], isLed: false }));
    expect(view).toMatchObject({ configuration_index: null, is_changing: null });
    expect(view.nodes[1]).toMatchObject({ is_learner: null, match_index: null, is_active: null });
  });
});
