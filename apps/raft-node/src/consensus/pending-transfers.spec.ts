import type { RaftStatus } from '@app/raft';
import { PendingTransfers } from './pending-transfers.js';

const status = (more: Partial<RaftStatus>): RaftStatus =>
  ({ role: 'leader', term: 3, leaderId: 'me', transferTo: 'a', ...more }) as RaftStatus;

function open(deadlineMs = 100) {
  const pending = new PendingTransfers();
  const replies: unknown[] = [];
  pending.add({ term: 3, deadlineMs, reply: (leader) => replies.push(leader) });
  return { pending, replies };
}

describe('PendingTransfers', () => {
  it('end with the leader of a later term, once one is known', () => {
    const { pending, replies } = open();
    pending.settle(status({}), 1);
    pending.settle(status({ role: 'follower', term: 4, leaderId: undefined, transferTo: undefined }), 2);
    expect(replies).toEqual([]);
    pending.settle(status({ role: 'follower', term: 4, leaderId: 'a', transferTo: undefined }), 3);
    pending.settle(status({ role: 'follower', term: 4, leaderId: 'a', transferTo: undefined }), 4);
    expect(replies).toEqual([{ id: 'a', term: 4 }]);
    expect(pending.count).toBe(0);
  });

  it('end with nobody when the leader has taken it back, when the time is over, and when the node stops', () => {
    const takenBack = open();
    takenBack.pending.settle(status({ transferTo: undefined }), 1);
    const late = open();
    late.pending.settle(status({}), 100);
    const stopped = open();
    stopped.pending.end({ code: 'SHUTTING_DOWN', detail: 'stopping' });
    expect([takenBack.replies, late.replies]).toEqual([[undefined], [undefined]]);
    expect(stopped.replies).toMatchObject([{ code: 'SHUTTING_DOWN' }]);
  });
});
