import { simpleConfiguration, type MembershipChange, type Raft, type TransferRejection } from '@app/raft';
import type { ChangeOutcome, RaftDriver } from '../consensus/raft-driver.js';
import type { TransferReply } from '../consensus/pending-transfers.js';
import type { Refusal } from '../fsm/operation-desk.js';
import { RingraftError } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { MembershipChanges } from './membership-changes.js';
import type { NewcomerCheck } from './newcomer-check.js';

type TransferStart = Refusal | TransferRejection | { readonly leader: Parameters<TransferReply>[0] };

/** A driver that gives these outcomes one after the other, the last one again and again. */
function open(outcomes: {
  changes?: ChangeOutcome[];
  transfers?: TransferStart[];
  leaderId?: string;
  isLeader?: boolean;
  timeoutMs?: number;
}) {
  const { changes = [], transfers = [], leaderId, timeoutMs = 60_000 } = outcomes;
  const config = Object.assign(new RaftNodeConfig(), {
    clusterId: 'c1',
    nodeId: 'n1',
    operationTimeoutMs: timeoutMs,
    heartbeatMs: 8,
    peers: [
      { nodeId: 'n1', address: '127.0.0.1:1' },
      { nodeId: 'n2', address: '127.0.0.1:2' },
    ],
  });
  const asked: MembershipChange[] = [];
  const next = <T>(list: T[]): T => (list.length > 1 ? list.shift()! : list[0]!);
  const driver = {
    leaderId,
    changeMembership: (change: MembershipChange, _deadlineMs: number, done: (outcome: ChangeOutcome) => void) => {
      asked.push(change);
      done(next(changes));
    },
    transferLeadership: (_to: string | undefined, _deadlineMs: number, reply: TransferReply) => {
      const start = next(transfers);
      if (typeof start === 'string' || 'code' in start) return start;
      reply(start.leader);
      return undefined;
    },
  } as unknown as RaftDriver;
  const raft = {
    isLeader: outcomes.isLeader ?? true,
    status: () => ({ configuration: simpleConfiguration(['n1']), configurationIndex: 7 }),
  } as unknown as Raft;
  const looked: string[] = [];
  const newcomers = {
    check: (id: string, address: string) => {
      looked.push(`${id} at ${address}`);
      return address.startsWith('wrong')
        ? Promise.reject(new RingraftError('INVALID_REQUEST', 'wrong'))
        : Promise.resolve();
    },
  } as unknown as NewcomerCheck;
  const directory = new PeerDirectory(config, 'i');
  return { changes: new MembershipChanges(config, directory, driver, raft, newcomers), asked, looked };
}

const rejected = (reason: Extract<ChangeOutcome, { kind: 'rejected' }>['reason']): ChangeOutcome => ({
  kind: 'rejected',
  reason,
  detail: `because of ${reason}`,
});

describe('MembershipChanges', () => {
  it('waits for what passes by itself, and gives the entry that set the configuration', async () => {
    const outcomes = [rejected('not_ready'), rejected('not_caught_up'), { kind: 'applied', index: 7 } as const];
    const { changes, asked } = open({ changes: outcomes });
    await expect(changes.promote('n2')).resolves.toBe(7);
    expect(asked).toEqual([{ promote: ['n2'] }, { promote: ['n2'] }, { promote: ['n2'] }]);
  });

  it('gives up at its deadline, surely without effect, and says what was in the way', async () => {
    const { changes } = open({ changes: [rejected('not_caught_up')], timeoutMs: 50 });
    await expect(changes.promote('n2')).rejects.toMatchObject({
      code: 'TIMED_OUT',
      detail: 'because of not_caught_up',
      outcome: 'not_applied',
    });
  });

  it('refuses at once what makes no sense, and a node that nobody knows the address of', async () => {
    const { changes, asked } = open({ changes: [rejected('invalid')] });
    await expect(changes.remove('n2')).rejects.toMatchObject({ code: 'INVALID_REQUEST', detail: 'because of invalid' });
    await expect(changes.add('n3', '', false)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(asked).toHaveLength(1);
  });

  it('adds a node that becomes a voter by itself, one that stays a learner, one in the place of another, and moves one', async () => {
    const { changes, asked, looked } = open({ changes: [{ kind: 'applied', index: 7 }] });
    await changes.add('n4', 'h:4', false);
    await changes.add('n2', '', true);
    await changes.replace('n2', 'n5', 'h:5');
    await changes.move('n2', 'h:2');
    expect(asked).toEqual([
      { addLearners: ['n4'], addresses: { n4: 'h:4' }, joining: { n4: 'n4' } },
      { addLearners: ['n2'], addresses: { n2: '127.0.0.1:2' } },
      { addLearners: ['n5'], addresses: { n5: 'h:5' }, joining: { n5: 'n2' } },
      { addresses: { n2: 'h:2' } },
    ]);
    expect(looked).toEqual(['n4 at h:4', 'n2 at 127.0.0.1:2', 'n5 at h:5', 'n2 at h:2']);
  });

  it('proposes nothing that is wrong about an address, and looks at none while another node leads', async () => {
    const leading = open({ changes: [{ kind: 'applied', index: 7 }] });
    await expect(leading.changes.add('n4', 'wrong:4', false)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(leading.changes.replace('n2', 'n4', 'wrong:4')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(leading.changes.move('n2', 'wrong:4')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const following = open({ isLeader: false, leaderId: 'n2' });
    await expect(following.changes.add('n4', 'h:4', false)).rejects.toMatchObject({ code: 'NOT_LEADER' });
    expect([leading.asked, following.asked, following.looked]).toEqual([[], [], []]);
  });

  it('says in its own way that a change would lose the quorum', async () => {
    const { changes } = open({ changes: [rejected('would_lose_quorum')] });
    await expect(changes.remove('n2')).rejects.toMatchObject({
      code: 'WOULD_LOSE_QUORUM',
      detail: 'because of would_lose_quorum',
    });
  });

  it('says who leads, or that nobody does', async () => {
    const refusal: Refusal = { code: 'NOT_LEADER', detail: '' };
    const known = open({ changes: [{ kind: 'refused', refusal }], transfers: ['not_leader'], leaderId: 'n2' });
    const leader = { nodeId: 'n2', address: '127.0.0.1:2' };
    await expect(known.changes.add('n2', '', false)).rejects.toMatchObject({ code: 'NOT_LEADER', fields: { leader } });
    await expect(known.changes.transferLeadership('n2')).rejects.toMatchObject({ code: 'NOT_LEADER' });
    const unknown = open({ changes: [rejected('not_leader')] });
    await expect(unknown.changes.add('n2', '', false)).rejects.toMatchObject({ code: 'NO_LEADER' });
  });

  it('does not hide that a change may still take effect', async () => {
    const refusal: Refusal = { code: 'OUTCOME_UNKNOWN', detail: 'lost' };
    const { changes } = open({ changes: [{ kind: 'refused', refusal }] });
    await expect(changes.add('n2', '', false)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
  });

  it('tries a transfer again that came to nothing, and gives whoever leads in the end', async () => {
    const leader = { id: 'n2', term: 4 };
    const { changes } = open({ transfers: ['transfer_in_progress', { leader }] });
    await expect(changes.transferLeadership('n2')).resolves.toEqual(leader);
    const takenBack = open({ transfers: [{ leader: undefined }], timeoutMs: 50 });
    await expect(takenBack.changes.transferLeadership(undefined)).rejects.toMatchObject({ code: 'TIMED_OUT' });
    const impossible = open({ transfers: ['not_a_voter'] });
    await expect(impossible.changes.transferLeadership('n2')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});
