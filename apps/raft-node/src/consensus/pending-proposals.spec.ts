import type { Refusal } from '../fsm/operation-desk.js';
import { PendingProposals, type WaitingWrite } from './pending-proposals.js';

function waitingWrite(deadlineMs = 1_000) {
  const outcomes: (Uint8Array | Refusal['code'] | undefined)[] = [];
  const write: WaitingWrite = {
    command: Uint8Array.of(1),
    deadlineMs,
    reply: (answer, refusal) => outcomes.push(refusal?.code ?? answer),
  };
  return { write, outcomes };
}

describe('PendingProposals', () => {
  it('tells of an entry that took long, and of no other', () => {
    const now = jest.spyOn(performance, 'now');
    const slow: unknown[] = [];
    const proposals = new PendingProposals((entry) => slow.push(entry));
    const { write } = waitingWrite();
    now.mockReturnValue(1_000);
    proposals.add(5, 2, [write]);
    proposals.add(6, 2, [write]);
    now.mockReturnValue(1_499);
    proposals.applied(5, 2, [Uint8Array.of(1)]);
    now.mockReturnValue(1_600);
    proposals.applied(6, 2, [Uint8Array.of(1)]);
    now.mockRestore();
    expect(slow).toEqual([{ index: 6, term: 2, tookMs: 600, writes: [write] }]);
  });

  it('answers each command of an entry with its own answer', () => {
    const proposals = new PendingProposals();
    const [a, b] = [waitingWrite(), waitingWrite()];
    proposals.add(5, 2, [a.write, b.write]);
    proposals.applied(5, 2, [Uint8Array.of(10), Uint8Array.of(20)]);
    expect([a.outcomes, b.outcomes]).toEqual([[Uint8Array.of(10)], [Uint8Array.of(20)]]);
    expect(proposals.count).toBe(0);
  });

  it('says "not applied" when an entry of another term was applied in the place', () => {
    const proposals = new PendingProposals();
    const { write, outcomes } = waitingWrite();
    proposals.add(5, 2, [write]);
    proposals.applied(5, 3, [Uint8Array.of(10)]);
    expect(outcomes).toEqual(['NOT_LEADER']);
  });

  it('says "unknown" when the leadership is lost, and nothing later', () => {
    const proposals = new PendingProposals();
    const { write, outcomes } = waitingWrite();
    proposals.add(5, 2, [write]);
    proposals.leadershipLost();
    proposals.applied(5, 2, [Uint8Array.of(10)]);
    expect(outcomes).toEqual(['OUTCOME_UNKNOWN']);
    expect(proposals.count).toBe(0);
  });

  it('ends only the commands whose deadline has passed', () => {
    const proposals = new PendingProposals();
    const [early, late] = [waitingWrite(100), waitingWrite(200)];
    proposals.add(5, 2, [early.write, late.write]);
    proposals.expire(150);
    expect([early.outcomes, late.outcomes]).toEqual([['OUTCOME_UNKNOWN'], []]);
    proposals.applied(5, 2, [Uint8Array.of(1), Uint8Array.of(2)]);
    expect([early.outcomes, late.outcomes]).toEqual([['OUTCOME_UNKNOWN'], [Uint8Array.of(2)]]);
    expect(proposals.count).toBe(0);
  });

  it('leaves nobody waiting when an index is proposed again in a later term', () => {
    const proposals = new PendingProposals();
    const [old, fresh] = [waitingWrite(), waitingWrite()];
    proposals.add(5, 2, [old.write]);
    proposals.add(5, 4, [fresh.write]);
    expect(old.outcomes).toEqual(['OUTCOME_UNKNOWN']);
    proposals.applied(5, 4, [Uint8Array.of(7)]);
    expect(fresh.outcomes).toEqual([Uint8Array.of(7)]);
    expect(proposals.count).toBe(0);
  });
});
