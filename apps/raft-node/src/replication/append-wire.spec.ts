import { EntryType, type AppendEntries } from '@app/raft';
import { AppendEntriesRequest, AppendEntriesResponse } from '@app/rpc';
import { fromWireRequest, fromWireResponse, toWireRequest, toWireResponse } from './append-wire.js';

const message: AppendEntries = {
  type: 'AppendEntries',
  from: 'a',
  to: 'b',
  term: 7,
  prevLogIndex: 4,
  prevLogTerm: 3,
  entries: [
    { index: 5, term: 3, type: EntryType.Normal, data: Uint8Array.of(0, 255) },
    { index: 6, term: 7, type: EntryType.Noop, data: Uint8Array.of() },
    { index: 7, term: 7, type: EntryType.Configuration, data: Uint8Array.of(1) },
  ],
  leaderCommit: 5,
  readContext: 9,
};

const overTheWire = (request: AppendEntriesRequest) =>
  AppendEntriesRequest.decode(AppendEntriesRequest.encode(request).finish());

describe('AppendEntries on the wire', () => {
  it('arrives as it was sent', () => {
    const received = fromWireRequest(overTheWire(toWireRequest('c1', 'disk of a', 'disk of b', message)));
    expect({ ...received, entries: received.entries.map((e) => ({ ...e, data: Uint8Array.from(e.data) })) }).toEqual(
      message,
    );
  });

  it('arrives as it was answered', () => {
    const response = {
      type: 'AppendEntriesResponse',
      from: 'b',
      to: 'a',
      term: 7,
      success: false,
      matchIndex: 1,
      rejectedIndex: 2,
      conflictTerm: 3,
      conflictIndex: 4,
      readContext: 5,
    } as const;
    const wire = AppendEntriesResponse.decode(
      AppendEntriesResponse.encode(toWireResponse('disk of b', response)).finish(),
    );
    expect(fromWireResponse('a', 'b', wire)).toEqual(response);
  });

  it.each([
    ['a gap between entries', (wire: AppendEntriesRequest) => wire.entries.splice(1, 1)],
    ['a falling term', (wire: AppendEntriesRequest) => (wire.entries[0]!.term = 2)],
    ['a term above the sender’s', (wire: AppendEntriesRequest) => (wire.entries[2]!.term = 8)],
    ['an unknown entry type', (wire: AppendEntriesRequest) => (wire.entries[0]!.type = 99 as never)],
  ])('refuses %s: the core relies on whole messages', (_what, damage) => {
    const wire = overTheWire(toWireRequest('c1', 'disk of a', 'disk of b', message));
    damage(wire);
    expect(() => fromWireRequest(wire)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }) as Error);
  });
});
