/** AppendEntries between the core's messages and those of raft.v1.Replication. */
import { EntryType, type AppendEntries, type AppendEntriesResponse, type Entry } from '@app/raft';
import {
  AppendEntriesRequest,
  AppendEntriesResponse as WireResponse,
  Entry as WireEntry,
  EntryType as WireEntryType,
  RingraftError,
} from '@app/rpc';

const TYPE_TO_WIRE = {
  [EntryType.Normal]: WireEntryType.NORMAL,
  [EntryType.Noop]: WireEntryType.NOOP,
  [EntryType.Configuration]: WireEntryType.CONFIGURATION,
} satisfies Record<EntryType, WireEntryType>;

/** `incarnation` is the sender's, here and in the answer. */
export function toWireRequest(
  clusterId: string,
  incarnation: string,
  recipientIncarnation: string,
  message: AppendEntries,
): AppendEntriesRequest {
  return {
    clusterId,
    leaderId: message.from,
    recipientId: message.to,
    term: message.term,
    prevLogIndex: message.prevLogIndex,
    prevLogTerm: message.prevLogTerm,
    entries: message.entries.map(toWireEntry),
    leaderCommit: message.leaderCommit,
    readContext: message.readContext,
    incarnation,
    recipientIncarnation,
  };
}

/** Throws INVALID_REQUEST for what no leader sends: the core may rely on whole, contiguous messages. */
export function fromWireRequest(wire: AppendEntriesRequest): AppendEntries {
  let term = wire.prevLogTerm;
  const entries = wire.entries.map((entry, i) => {
    const index = wire.prevLogIndex + 1 + i;
    if (entry.index !== index) throw malformed(`entry ${entry.index} stands where entry ${index} belongs`);
    if (entry.term < term || entry.term > wire.term)
      throw malformed(`entry ${index} has the impossible term ${entry.term}`);
    term = entry.term;
    return fromWireEntry(entry);
  });
  return {
    type: 'AppendEntries',
    from: wire.leaderId,
    to: wire.recipientId,
    term: wire.term,
    prevLogIndex: wire.prevLogIndex,
    prevLogTerm: wire.prevLogTerm,
    entries,
    leaderCommit: wire.leaderCommit,
    readContext: wire.readContext,
  };
}

export function toWireResponse(incarnation: string, message: AppendEntriesResponse): WireResponse {
  return {
    followerId: message.from,
    term: message.term,
    success: message.success,
    matchIndex: message.matchIndex,
    rejectedIndex: message.rejectedIndex,
    conflictTerm: message.conflictTerm,
    conflictIndex: message.conflictIndex,
    readContext: message.readContext,
    incarnation,
  };
}

/** `followerId` is whom the stream leads to: what the message says of itself is not asked. */
export function fromWireResponse(selfId: string, followerId: string, wire: WireResponse): AppendEntriesResponse {
  return {
    type: 'AppendEntriesResponse',
    from: followerId,
    to: selfId,
    term: wire.term,
    success: wire.success,
    matchIndex: wire.matchIndex,
    rejectedIndex: wire.rejectedIndex,
    conflictTerm: wire.conflictTerm,
    conflictIndex: wire.conflictIndex,
    readContext: wire.readContext,
  };
}

function toWireEntry(entry: Entry): WireEntry {
  return { index: entry.index, term: entry.term, type: TYPE_TO_WIRE[entry.type], data: entry.data };
}

function fromWireEntry(wire: WireEntry): Entry {
  return { index: wire.index, term: wire.term, type: entryTypeOf(wire), data: wire.data };
}

function entryTypeOf(wire: WireEntry): EntryType {
  switch (wire.type) {
    case WireEntryType.NORMAL:
      return EntryType.Normal;
    case WireEntryType.NOOP:
      return EntryType.Noop;
    case WireEntryType.CONFIGURATION:
      return EntryType.Configuration;
    default:
      throw malformed(`entry ${wire.index} has the unknown type ${String(wire.type)}`);
  }
}

function malformed(detail: string): RingraftError {
  return new RingraftError('INVALID_REQUEST', detail);
}
