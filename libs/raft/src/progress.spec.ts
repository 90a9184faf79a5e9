import { Progress } from './progress.js';

const MESSAGES_MAX = 2;
const BYTES_MAX = 100;
const canSend = (progress: Progress) => progress.canSend(MESSAGES_MAX, BYTES_MAX);

const replicating = (matchIndex: number) => {
  const progress = new Progress(matchIndex + 1, 0);
  progress.stored(matchIndex);
  progress.becomeReplicate();
  return progress;
};

describe('Progress', () => {
  it('probes with one message at a time', () => {
    const progress = new Progress(5, 0);
    expect(canSend(progress)).toBe(true);
    progress.sent(7, 10);
    expect([canSend(progress), progress.nextIndex]).toEqual([false, 5]);
    progress.isProbeSent = false;
    expect(canSend(progress)).toBe(true);
  });

  it('replicates ahead of the answers until the window is full, in messages', () => {
    const progress = replicating(4);
    progress.sent(5, 10);
    expect([canSend(progress), progress.nextIndex]).toEqual([true, 6]);
    progress.sent(6, 10);
    expect(canSend(progress)).toBe(false);
    progress.stored(5);
    expect(canSend(progress)).toBe(true);
  });

  it('replicates until the window is full, in bytes', () => {
    const progress = replicating(4);
    progress.sent(5, BYTES_MAX);
    expect(canSend(progress)).toBe(false);
    progress.stored(5);
    expect(canSend(progress)).toBe(true);
  });

  it('frees the window of all that one acknowledgement covers, and of nothing else', () => {
    const progress = replicating(0);
    progress.sent(3, 50);
    progress.sent(6, 40);
    progress.stored(2);
    expect(canSend(progress)).toBe(false);
    progress.stored(6);
    progress.sent(7, 99);
    expect(canSend(progress)).toBe(true);
  });

  it('takes nothing back on a late acknowledgement', () => {
    const progress = replicating(9);
    expect(progress.stored(4)).toBe(false);
    expect([progress.matchIndex, progress.nextIndex]).toEqual([9, 10]);
    expect(progress.stored(12)).toBe(true);
    expect([progress.matchIndex, progress.nextIndex]).toEqual([12, 13]);
  });

  it.each(['becomeProbe', 'becomeReplicate'] as const)('%s begins with an empty window', (change) => {
    const progress = replicating(1);
    progress.sent(2, 60);
    progress.sent(3, 60);
    progress[change](2);
    if (progress.state === 'probe') progress.becomeReplicate();
    expect([canSend(progress), progress.nextIndex]).toEqual([true, 2]);
    progress.sent(2, 60);
    expect(canSend(progress)).toBe(true);
  });

  it('never probes at or below what the follower has stored', () => {
    const progress = replicating(8);
    progress.becomeProbe(3);
    expect(progress.nextIndex).toBe(9);
  });

  it('sends nothing while it is paused or while entries are fetched', () => {
    const progress = replicating(8);
    progress.isFetching = true;
    expect(canSend(progress)).toBe(false);
    progress.isFetching = false;
    progress.pause(progress.matchIndex + 1);
    expect([canSend(progress), progress.state]).toEqual([false, 'probe']);
  });
});
