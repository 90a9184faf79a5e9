import { PendingReads, type WaitingRead } from './pending-reads.js';

function waitingRead(deadlineMs = 1_000) {
  const outcomes: string[] = [];
  const read: WaitingRead = { deadlineMs, reply: (refusal) => outcomes.push(refusal?.code ?? 'read') };
  return { read, outcomes };
}

describe('PendingReads', () => {
  it('answers a confirmed read once the state machine has reached its index, not before', () => {
    const reads = new PendingReads();
    const { read, outcomes } = waitingRead();
    const context = reads.add([read]);
    reads.applied(100);
    expect(outcomes).toEqual([]);
    reads.confirm([context], 7);
    reads.applied(6);
    expect(outcomes).toEqual([]);
    reads.applied(7);
    expect(outcomes).toEqual(['read']);
    expect(reads.count).toBe(0);
  });

  it('tells how long the confirmation of a batch took, and counts the reads that got none', () => {
    const durationsMs: number[] = [];
    const reads = new PendingReads((durationMs) => durationsMs.push(durationMs));
    const [one, two, three] = [waitingRead(), waitingRead(), waitingRead()];
    const confirmed = reads.add([one.read, two.read]);
    const rejected = reads.add([three.read]);
    reads.confirm([confirmed], 1);
    reads.applied(1);
    expect(durationsMs).toEqual([expect.any(Number)]);
    expect(reads.failed).toBe(0);
    reads.reject([rejected], { code: 'NO_LEADER', detail: 'none' });
    expect(durationsMs).toHaveLength(1);
    expect(reads.failed).toBe(1);
  });

  it('never gives out a context twice', () => {
    const reads = new PendingReads();
    const contexts = [1, 2, 3].map(() => reads.add([waitingRead().read]));
    expect(new Set(contexts).size).toBe(3);
  });

  it('ends a read whose deadline passes, confirmed or not', () => {
    const reads = new PendingReads();
    const [unconfirmed, confirmed, patient] = [waitingRead(10), waitingRead(10), waitingRead(99)];
    reads.add([unconfirmed.read]);
    reads.confirm([reads.add([confirmed.read, patient.read])], 5);
    reads.expire(20);
    expect([unconfirmed.outcomes, confirmed.outcomes, patient.outcomes]).toEqual([['TIMED_OUT'], ['TIMED_OUT'], []]);
    reads.applied(5);
    expect(patient.outcomes).toEqual(['read']);
    expect(reads.count).toBe(0);
  });

  it('ends all of them at once, confirmed or not, with the reason', () => {
    const reads = new PendingReads();
    const [unconfirmed, confirmed] = [waitingRead(), waitingRead()];
    reads.confirm([reads.add([confirmed.read])], 5);
    reads.add([unconfirmed.read]);
    reads.end({ code: 'SHUTTING_DOWN', detail: '' });
    expect([unconfirmed.outcomes, confirmed.outcomes]).toEqual([['SHUTTING_DOWN'], ['SHUTTING_DOWN']]);
    reads.applied(9);
    reads.expire(Infinity);
    expect([reads.count, unconfirmed.outcomes.length, confirmed.outcomes.length]).toEqual([0, 1, 1]);
  });

  it('passes a rejection on', () => {
    const reads = new PendingReads();
    const { read, outcomes } = waitingRead();
    reads.reject([reads.add([read])], { code: 'NOT_LEADER', detail: '' });
    expect(outcomes).toEqual(['NOT_LEADER']);
    expect(reads.count).toBe(0);
  });
});
