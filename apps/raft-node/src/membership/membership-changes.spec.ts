import { simpleConfiguration, type MembershipChange, type Raft, type TransferRejection } from '@app/raft';
import type { ChangeOutcome, RaftDriver } from '../consensus/raft-driver.js';
import type { TransferReply } from '../consensus/pending-transfers.js';
import type { Refusal } from '../fsm/operation-desk.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { MembershipChanges } from './membership-changes.js';

type TransferStart = Refusal | TransferRejection | { readonly leader: Parameters<TransferReply>[0] };

/** A driver that gives these outcomes one after the other, the last one again and again. */
function open(outcomes: { changes?: ChangeOutcome[]; transfers?: TransferStart[]; leaderId?: string }) {
  const { changes = [], transfers = [], leaderId } = outcomes;
  const config = Object.assign(new RaftNodeConfig(), {
    clusterId: 'c1',
    nodeId: 'n1',
    operationTimeoutMs: 100,
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
    status: () => ({ configuration: simpleConfiguration(['n1']), configurationIndex: 7 }),
  } as unknown as Raft;
  return { changes: new MembershipChanges(config, new PeerDirectory(config, 'i'), driver, raft), asked };
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
    const { changes } = open({ changes: [rejected('not_caught_up')] });
    await expect(changes.promote('n2')).rejects.toMatchObject({
      code: 'TIMED_OUT',
      detail: 'because of not_caught_up',
      outcome: 'not_applied',
    });
  });

  it('refuses at once what makes no sense, and a node that nobody knows the address of', async () => {
    const { changes, asked } = open({ changes: [rejected('invalid')] });
    await expect(changes.remove('n2')).rejects.toMatchObject({ code: 'INVALID_REQUEST', detail: 'because of invalid' });
    await expect(changes.add('n3')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(asked).toHaveLength(1);
  });

  it('says who leads, or that nobody does', async () => {
    const refusal: Refusal = { code: 'NOT_LEADER', detail: '' };
    const known = open({ changes: [{ kind: 'refused', refusal }], transfers: ['not_leader'], leaderId: 'n2' });
    const leader = { nodeId: 'n2', address: '127.0.0.1:2' };
    await expect(known.changes.add('n2')).rejects.toMatchObject({ code: 'NOT_LEADER', fields: { leader } });
    await expect(known.changes.transferLeadership('n2')).rejects.toMatchObject({ code: 'NOT_LEADER' });
    const unknown = open({ changes: [rejected('not_leader')] });
    await expect(unknown.changes.add('n2')).rejects.toMatchObject({ code: 'NO_LEADER' });
  });

  it('does not hide that a change may still take effect', async () => {
    const refusal: Refusal = { code: 'OUTCOME_UNKNOWN', detail: 'lost' };
    const { changes } = open({ changes: [{ kind: 'refused', refusal }] });
    await expect(changes.add('n2')).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
  });

  it('tries a transfer again that came to nothing, and gives whoever leads in the end', async () => {
    const leader = { id: 'n2', term: 4 };
    const { changes } = open({ transfers: ['transfer_in_progress', { leader }] });
    await expect(changes.transferLeadership('n2')).resolves.toEqual(leader);
    const takenBack = open({ transfers: [{ leader: undefined }] });
    await expect(takenBack.changes.transferLeadership(undefined)).rejects.toMatchObject({ code: 'TIMED_OUT' });
    const impossible = open({ transfers: ['not_a_voter'] });
    await expect(impossible.changes.transferLeadership('n2')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});
