import { Member, Role, RingraftError, StatusResponse } from '@app/rpc';
import { systemOfNodes } from './system-of-nodes.js';

type Nodes = Readonly<Record<string, Partial<StatusResponse> | 'silent'>>;

const MEMBERS = ['n1', 'n2', 'n3'].map((nodeId) =>
  Member.create({ nodeId, address: `${nodeId}:1`, isActive: true, matchIndex: 9 }),
);

/** What the nodes at these addresses (`n1:1`) say; there is nothing at others. */
function asking(nodes: Nodes): (address: string) => Promise<StatusResponse> {
  return (address) => {
    const facts = nodes[address];
    if (facts === undefined || facts === 'silent') {
      return Promise.reject(new RingraftError('NODE_UNREACHABLE', `there is no connection to ${address}`));
    }
    const nodeId = address.split(':')[0]!;
    return Promise.resolve(
      StatusResponse.fromPartial({
        clusterId: 'c1',
        nodeId,
        term: 2,
        commitIndex: 10,
        appliedIndex: 10,
        members: MEMBERS,
        ...facts,
      }),
    );
  };
}

const FOLLOWS = { role: Role.FOLLOWER };
const LEADS = { role: Role.LEADER };

describe('a system as its nodes see it', () => {
  it('is found from one of its nodes', async () => {
    const { clusters } = await systemOfNodes(
      ['n2:1'],
      asking({ 'n1:1': LEADS, 'n2:1': FOLLOWS, 'n3:1': FOLLOWS }),
      1_000,
    );
    expect(clusters).toMatchObject([{ id: 'c1', health: 'healthy', leader: 'n1', term: 2 }]);
    expect(clusters[0]!.nodes.map(({ id, role }) => [id, role])).toEqual([
      ['n1', 'leader'],
      ['n2', 'follower'],
      ['n3', 'follower'],
    ]);
  });

  it('does not wait for a seed that hangs before it asks the members that another one names', async () => {
    const ask = asking({ 'n1:1': LEADS, 'n2:1': FOLLOWS, 'n3:1': FOLLOWS });
    const asked: string[] = [];
    let release = (): void => undefined;
    const hang = new Promise<never>((_resolve, reject) => {
      release = () => reject(new RingraftError('OUTCOME_UNKNOWN', 'it hangs'));
    });
    const askStatus = (address: string): Promise<StatusResponse> => {
      asked.push(address);
      if (asked.length === 4) release();
      return address === 'n9:1' ? hang : ask(address);
    };
    const { clusters } = await systemOfNodes(['n9:1', 'n1:1'], askStatus, 1_000);
    expect(asked).toEqual(['n9:1', 'n1:1', 'n2:1', 'n3:1']);
    expect(clusters.map(({ id, health }) => [id, health])).toEqual([
      ['?', 'unavailable'],
      ['c1', 'healthy'],
    ]);
  });

  it('has a member that is silent, with what the leader knows of it', async () => {
    const members = MEMBERS.map((member) =>
      member.nodeId === 'n3' ? { ...member, isActive: false, matchIndex: 4 } : member,
    );
    const nodes = { 'n1:1': { ...LEADS, members }, 'n2:1': { ...FOLLOWS, appliedIndex: 7 } };
    const [cluster] = (await systemOfNodes(['n1:1'], asking(nodes), 1_000)).clusters;
    expect(cluster).toMatchObject({ health: 'degraded', leader: 'n1' });
    expect(cluster!.nodes).toMatchObject([
      { id: 'n1', lag: 0 },
      { id: 'n2', lag: 3 },
      { id: 'n3', is_reachable: false, role: null, lag: null, match_index: 4, is_active: false },
    ]);
  });

  it('of two that say they lead, the one of the higher term does', async () => {
    const nodes = { 'n1:1': LEADS, 'n2:1': { ...LEADS, term: 3 }, 'n3:1': FOLLOWS };
    const [cluster] = (await systemOfNodes(['n1:1', 'n2:1'], asking(nodes), 1_000)).clusters;
    expect(cluster).toMatchObject({ leader: 'n2', term: 3 });
  });

  it('is unavailable without a leader, and with one that hears no majority', async () => {
    const [leaderless] = (await systemOfNodes(['n1:1'], asking({ 'n1:1': { role: Role.PRE_CANDIDATE } }), 1_000))
      .clusters;
    expect(leaderless).toMatchObject({ health: 'unavailable', leader: null, term: null });
    expect(leaderless!.nodes.map(({ match_index: stored }) => stored)).toEqual([null, null, null]);
    const members = MEMBERS.map((member) => ({ ...member, isActive: member.nodeId === 'n1' }));
    const [alone] = (await systemOfNodes(['n1:1'], asking({ 'n1:1': { ...LEADS, members } }), 1_000)).clusters;
    expect(alone!.health).toBe('unavailable');
  });

  it('has those whom nobody knows in a cluster without a name', async () => {
    const { clusters } = await systemOfNodes(['n9:1'], asking({}), 1_000);
    expect(clusters).toMatchObject([
      { id: '?', health: 'unavailable', nodes: [{ address: 'n9:1', is_reachable: false }] },
    ]);
  });

  it('shows a node that was removed, and says so', async () => {
    const members = MEMBERS.slice(0, 2);
    const nodes = {
      'n1:1': { ...LEADS, members, configurationIndex: 5 },
      'n2:1': { ...FOLLOWS, members },
      'n3:1': { ...FOLLOWS, expulsion: 'n3 was removed' },
    };
    const [cluster] = (await systemOfNodes(['n1:1', 'n3:1'], asking(nodes), 1_000)).clusters;
    expect(cluster!.nodes.map(({ id, expulsion }) => [id, expulsion])).toEqual([
      ['n1', null],
      ['n2', null],
      ['n3', 'n3 was removed'],
    ]);
  });
});
