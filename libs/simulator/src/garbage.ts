import { encodeConfiguration, EntryType, type Entry, type Message, type Random } from '@app/raft';

/**
 * Messages that no correct node sends: what a broken or hostile peer might, in the name of another. Each has one flaw that the
 * receiver can see. `like` lends sender, receiver and term.
 */
export function garbageLike(like: Message, random: Random): Message {
  const among = <T>(choices: readonly T[]): T => choices[random.nextInt(0, choices.length - 1)]!;
  const notACount = among([-1, 0.5, NaN, Infinity, 2 ** 53]);
  const { from, to, term } = like;
  const envelope = { from, to, term };
  const vote = { type: 'RequestVote', ...envelope, lastLogIndex: 0, lastLogTerm: 0, preVote: false, isTransfer: false };
  const append = {
    type: 'AppendEntries',
    ...envelope,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [],
    leaderCommit: 0,
    readContext: 0,
  };
  const answer = {
    type: 'AppendEntriesResponse',
    ...envelope,
    success: true,
    matchIndex: 0,
    rejectedIndex: 0,
    conflictTerm: 0,
    conflictIndex: 0,
    readContext: 0,
  };
  const configuration = { index: 0, configuration: { voters: [to], outgoingVoters: [], learners: [] } };
  const snapshot = { index: 1, term: 1, configuration };
  const install = { type: 'InstallSnapshot', ...envelope, term: term + 1 };
  const entries = (...given: Partial<Entry>[]) => ({
    ...append,
    term: term + 1,
    entries: given.map((entry, i) => ({ index: i + 1, term: 1, type: EntryType.Normal, data: NO_DATA, ...entry })),
  });
  const flawed: unknown = among([
    { ...like, to: `${to}x` },
    { ...like, from: to },
    { ...like, term: notACount },
    { ...like, type: 'Unheard' },
    { ...vote, lastLogIndex: 1, lastLogTerm: term + 1 },
    { ...vote, lastLogIndex: 1 },
    { ...vote, lastLogIndex: notACount, lastLogTerm: term },
    { ...vote, lastLogTerm: notACount },
    { ...append, prevLogIndex: notACount },
    { ...append, leaderCommit: notACount },
    { ...append, readContext: notACount },
    entries({ index: 2 }),
    entries({}, { index: 3 }),
    entries({ term: 2 }, { term: 1 }),
    entries({ term: 0 }),
    entries({ term: notACount }),
    entries({ term: term + 2 }),
    entries({ type: 9 as EntryType }),
    entries({ type: EntryType.Configuration, data: noConfiguration(random) }),
    { ...answer, matchIndex: notACount },
    { ...answer, rejectedIndex: notACount },
    { ...answer, conflictIndex: notACount },
    { ...answer, conflictTerm: notACount },
    { ...answer, conflictTerm: term + 1 },
    { ...answer, readContext: notACount },
    { ...install, snapshot: { ...snapshot, index: 0 } },
    { ...install, snapshot: { ...snapshot, index: notACount } },
    { ...install, snapshot: { ...snapshot, term: term + 2 } },
    { ...install, snapshot: { ...snapshot, configuration: { ...configuration, index: 2 } } },
    { ...install, snapshot: { ...snapshot, configuration: { ...configuration, index: notACount } } },
    { type: 'TimeoutNow', ...envelope, lastLogIndex: 1, lastLogTerm: 0 },
    { type: 'ReadIndexRequest', ...envelope, requestId: notACount },
    { type: 'ReadIndexResponse', ...envelope, requestId: notACount, index: 1, rejection: undefined },
    { type: 'ReadIndexResponse', ...envelope, requestId: 1, index: notACount, rejection: undefined },
    { type: 'MembershipNotice', ...envelope, reason: 'removed', configurationIndex: notACount },
  ]);
  return flawed as Message;
}

const NO_DATA = new Uint8Array(0);

/** Bytes of an entry that name no configuration. */
function noConfiguration(random: Random): Uint8Array {
  const good = encodeConfiguration({
    voters: ['a', 'b'],
    outgoingVoters: ['c'],
    learners: ['d'],
    incarnations: { a: 'i', b: 'j' },
  });
  const changed = (position: number, byte: number) => good.with(position, byte);
  const code = (letter: string) => letter.charCodeAt(0);
  const at = (letter: string) => good.indexOf(code(letter));
  const choices = [
    NO_DATA,
    good.slice(0, random.nextInt(1, good.length - 1)),
    Uint8Array.of(...good, 0),
    changed(0, good[0]! + 1),
    // Twice the same voter; a name that is none; nothing where a name is; a data directory of somebody else, or one without a name.
    changed(at('b'), code('a')),
    changed(at('d'), code(' ')),
    changed(at('c') - 1, 0),
    changed(good.lastIndexOf(code('b')), code('x')),
    changed(good.lastIndexOf(code('b')), code('a')),
    changed(good.lastIndexOf(code('a')) - 2, 3).slice(0, -2),
  ];
  return choices[random.nextInt(0, choices.length - 1)]!;
}
