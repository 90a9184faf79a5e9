import { RingraftError, type Channel } from '@app/rpc';
import { clusterView, nodeView } from '../testing/views.js';
import { NodeCalls } from './node-calls.js';

/** Long enough for every retry here. */
const TIMEOUT_MS = 30_000;

const LED_BY_N1 = clusterView([nodeView('n1', { role: 'leader' }), nodeView('n2')]);
const LED_BY_NOBODY = clusterView([nodeView('n1'), nodeView('n2')], { leader: null });

describe('a call to whoever leads', () => {
  let calls: NodeCalls;
  /** Addresses, in order. */
  let asked: string[];

  function withViews(...views: (typeof LED_BY_N1)[]): void {
    asked = [];
    calls = new NodeCalls(() => Promise.resolve(views.length > 1 ? views.shift()! : views[0]!));
  }

  /** Answers like this, one after the other; the last one again and again. */
  function answering(...answers: (RingraftError | 'done')[]): (channel: Channel) => Promise<string> {
    return ({ address }) => {
      asked.push(address);
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
      return answer === 'done' ? Promise.resolve(answer) : Promise.reject(answer);
    };
  }

  afterEach(() => calls.close());

  it('goes to the leader, and to whom a node names that leads no more', async () => {
    withViews(LED_BY_N1);
    const moved = new RingraftError('NOT_LEADER', 'so', { leader: { nodeId: 'n2', address: 'n2:7001' } });
    expect(await calls.onLeader('c1', { timeoutMs: TIMEOUT_MS }, answering(moved, 'done'))).toBe('done');
    expect(asked).toEqual(['n1:7001', 'n2:7001']);
  });

  it('waits for a leader', async () => {
    withViews(LED_BY_NOBODY, LED_BY_NOBODY, LED_BY_N1);
    expect(await calls.onLeader('c1', { timeoutMs: TIMEOUT_MS }, answering('done'))).toBe('done');
    expect(asked).toEqual(['n1:7001']);
  });

  it('tries again what was surely not carried out', async () => {
    withViews(LED_BY_N1);
    const gone = new RingraftError('NODE_UNREACHABLE', 'so');
    expect(await calls.onLeader('c1', { timeoutMs: TIMEOUT_MS }, answering(gone, 'done'))).toBe('done');
    expect(asked).toHaveLength(2);
  });

  it.each([
    new RingraftError('OUTCOME_UNKNOWN', 'so'),
    new RingraftError('INVALID_REQUEST', 'so'),
    new RingraftError('NOT_LEADER', 'so', {}, { outcome: 'unknown' }),
  ])('does not try again what may have been, or would be refused again: %s', async (error) => {
    withViews(LED_BY_N1);
    await expect(calls.onLeader('c1', { timeoutMs: TIMEOUT_MS }, answering(error))).rejects.toBe(error);
    expect(asked).toHaveLength(1);
  });

  it('ends at its deadline, with what stood in the way', async () => {
    withViews(LED_BY_NOBODY);
    const ended = calls.onLeader('c1', { timeoutMs: 1 }, answering('done'));
    await expect(ended).rejects.toMatchObject({ code: 'NO_LEADER' });
    expect(asked).toEqual([]);
  });
});
