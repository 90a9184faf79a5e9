import type { MembershipNotice, TimeoutNow } from '@app/raft';
import { NotifyMembershipRequest, TimeoutNowRequest } from '@app/rpc';
import { fromWireNotice, fromWireTimeoutNow, toWireNotice, toWireTimeoutNow } from './notice-wire.js';

describe('notices over the wire', () => {
  it('TimeoutNow arrives as it was sent, with the data directory of the sender', () => {
    const message: TimeoutNow = { type: 'TimeoutNow', from: 'a', to: 'b', term: 7, lastLogIndex: 12, lastLogTerm: 6 };
    const bytes = TimeoutNowRequest.encode(toWireTimeoutNow('c1', 'disk-of-a', message)).finish();
    const wire = TimeoutNowRequest.decode(bytes);
    expect(wire).toMatchObject({ clusterId: 'c1', incarnation: 'disk-of-a' });
    expect(fromWireTimeoutNow(wire)).toEqual(message);
  });

  it.each(['removed', 'other_incarnation'] as const)('MembershipNotice (%s) arrives as it was sent', (reason) => {
    const message: MembershipNotice = {
      type: 'MembershipNotice',
      from: 'a',
      to: 'b',
      term: 7,
      reason,
      configurationIndex: 5,
    };
    const bytes = NotifyMembershipRequest.encode(toWireNotice('c1', message)).finish();
    expect(fromWireNotice(NotifyMembershipRequest.decode(bytes))).toEqual(message);
  });

  it('refuses a reason that it does not know: it must not expel a node', () => {
    const wire = NotifyMembershipRequest.create({ senderId: 'a', recipientId: 'b', reason: 99 as never });
    expect(() => fromWireNotice(wire)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }) as Error);
  });
});
