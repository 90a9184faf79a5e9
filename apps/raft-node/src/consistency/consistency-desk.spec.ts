import type { StateHashes, StateMachine } from '@app/kv';
import { createLog } from '@app/platform';
import { simpleConfiguration, type Raft } from '@app/raft';
import type { QuarantineRequest } from '@app/rpc';
import type { PeerDirectory } from '../peers/peer-directory.js';
import { ConsistencyDesk } from './consistency-desk.js';
import type { Quarantine } from './quarantine.js';

const own: StateHashes = { content: '00000000000000cc', history: '00000000000000bb' };
const expected: StateHashes = { content: '00000000000000aa', history: '00000000000000bb' };

/** The desk of `n3`, which follows `n1` in term 3 and has applied entries 5 to 10. */
function deskOfN3() {
  const entered: string[] = [];
  const refused: string[] = [];
  const directory = {
    selfId: 'n3',
    assertAddressedToSelf: (clusterId: string, recipientId: string, senderId: string) => {
      refused.push(`${clusterId} ${recipientId} ${senderId}`);
      if (clusterId !== 'c1' || recipientId !== 'n3') throw new Error('not for n3');
    },
  } as unknown as PeerDirectory;
  const raft = {
    status: () => ({ id: 'n3', term: 3, leaderId: 'n1', configuration: simpleConfiguration(['n1', 'n2', 'n3']) }),
  } as unknown as Raft;
  const at = (index: number) => (index >= 5 && index <= 10 ? own : undefined);
  const stateMachine = { hashTrail: { firstIndex: 5, lastIndex: 10, at } } as unknown as StateMachine;
  const quarantine = {
    get isEntered() {
      return entered.length > 0;
    },
    enter: (reason: string) => {
      entered.push(reason);
      return Promise.resolve();
    },
  } as unknown as Quarantine;
  const log = createLog({ level: 'silent', fields: {} });
  return { desk: new ConsistencyDesk(directory, raft, stateMachine, quarantine, log), entered };
}

const addressed = { clusterId: 'c1', recipientId: 'n3', leaderId: 'n1', term: 3 };

describe('ConsistencyDesk', () => {
  it('gives the hashes after an entry that it knows, and says which it knows otherwise', () => {
    const { desk } = deskOfN3();
    const known = { nodeId: 'n3', appliedIndex: 10, firstIndex: 5 };
    expect(desk.stateHash({ ...addressed, index: 7 })).toEqual({ ...known, hashes: own });
    expect(desk.stateHash({ ...addressed, index: 4 })).toEqual({ ...known, hashes: undefined });
    expect(desk.stateHash({ ...addressed, index: 11 })).toEqual({ ...known, hashes: undefined });
  });

  it('refuses what is meant for another node', async () => {
    const { desk } = deskOfN3();
    expect(() => desk.stateHash({ ...addressed, recipientId: 'n2', index: 7 })).toThrow('not for n3');
    await expect(desk.quarantine({ ...request, recipientId: 'n2' })).rejects.toThrow('not for n3');
  });

  const request: QuarantineRequest = { ...addressed, index: 7, expected, agreeingIds: ['n1', 'n2'] };

  it('goes into quarantine when its leader shows that a majority has another state', async () => {
    const { desk, entered } = deskOfN3();
    await expect(desk.quarantine(request)).resolves.toEqual({ isQuarantined: true });
    expect(entered).toEqual([
      'after entry 7 the state of this node has content 00000000000000cc, history 00000000000000bb, ' +
        'but a majority (n1, n2) has content 00000000000000aa, history 00000000000000bb',
    ]);
    await expect(desk.quarantine({ ...request, term: 1 })).resolves.toEqual({ isQuarantined: true });
    expect(entered).toHaveLength(1);
  });

  it.each<[string, Partial<QuarantineRequest>]>([
    ['by another than its leader', { leaderId: 'n2' }],
    ['by a leader of another term', { term: 2 }],
    ['for a state that is its own', { expected: own }],
    ['without a state', { expected: undefined }],
    ['for an entry that it has not applied', { index: 11 }],
    ['for an entry that it no longer knows', { index: 4 }],
    ['without a majority', { agreeingIds: ['n1'] }],
    ['by a majority of strangers', { agreeingIds: ['n1', 'x', 'y'] }],
    ['as one of those who agree', { agreeingIds: ['n1', 'n3'] }],
  ])('does not when it is asked %s', async (_what, change) => {
    const { desk, entered } = deskOfN3();
    await expect(desk.quarantine({ ...request, ...change })).resolves.toEqual({ isQuarantined: false });
    expect(entered).toEqual([]);
  });
});
