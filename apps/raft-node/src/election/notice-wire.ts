/** TimeoutNow and MembershipNotice between the core's messages and those of raft.v1.Election. */
import type { ExpulsionReason, MembershipNotice, TimeoutNow } from '@app/raft';
import { NotifyMembershipRequest, RingraftError, TimeoutNowRequest, ExpulsionReason as WireReason } from '@app/rpc';

const REASON_TO_WIRE = {
  removed: WireReason.REMOVED,
  other_incarnation: WireReason.OTHER_INCARNATION,
} satisfies Record<ExpulsionReason, WireReason>;

/** `incarnation` is the sender's. */
export function toWireTimeoutNow(clusterId: string, incarnation: string, message: TimeoutNow): TimeoutNowRequest {
  return {
    clusterId,
    leaderId: message.from,
    recipientId: message.to,
    term: message.term,
    lastLogIndex: message.lastLogIndex,
    lastLogTerm: message.lastLogTerm,
    incarnation,
  };
}

export function fromWireTimeoutNow(wire: TimeoutNowRequest): TimeoutNow {
  return {
    type: 'TimeoutNow',
    from: wire.leaderId,
    to: wire.recipientId,
    term: wire.term,
    lastLogIndex: wire.lastLogIndex,
    lastLogTerm: wire.lastLogTerm,
  };
}

export function toWireNotice(clusterId: string, message: MembershipNotice): NotifyMembershipRequest {
  return {
    clusterId,
    senderId: message.from,
    recipientId: message.to,
    term: message.term,
    reason: REASON_TO_WIRE[message.reason],
    configurationIndex: message.configurationIndex,
  };
}

/** Throws INVALID_REQUEST for a reason that this version does not know. */
export function fromWireNotice(wire: NotifyMembershipRequest): MembershipNotice {
  return {
    type: 'MembershipNotice',
    from: wire.senderId,
    to: wire.recipientId,
    term: wire.term,
    reason: reasonOf(wire.reason),
    configurationIndex: wire.configurationIndex,
  };
}

function reasonOf(wire: WireReason): ExpulsionReason {
  switch (wire) {
    case WireReason.REMOVED:
      return 'removed';
    case WireReason.OTHER_INCARNATION:
      return 'other_incarnation';
    default:
      throw new RingraftError('INVALID_REQUEST', `the unknown reason ${String(wire)} to regard a node as no member`);
  }
}
