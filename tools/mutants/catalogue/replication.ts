import type { Mutant } from '../mutant.js';

const REPLICATION = 'libs/raft/src/replication.ts';
const PROGRESS = 'libs/raft/src/progress.ts';
const QUORUM = 'libs/raft/src/quorum.ts';
const RAFT = 'libs/raft/src/raft.ts';

export const REPLICATION_MUTANTS: readonly Mutant[] = [
  {
    name: 'acknowledges-before-sync',
    breaks: 'e, promise before sync',
    edits: [
      {
        file: REPLICATION,
        find: '    if (isAnswerDue) ready.send(response);\n    else ready.sendAfterPersist(response);\n',
        replace: '    ready.send(response);\n',
      },
    ],
    note: 'a follower acknowledges entries that are not on its disk',
  },
  {
    name: 'heartbeat-acknowledges-unsynced',
    breaks: 'e, promise before sync',
    edits: [
      {
        file: REPLICATION,
        find: 'matchIndex: isAnswerDue ? Math.min(verifiedIndex, log.persistedIndex) : verifiedIndex,',
        replace: 'matchIndex: verifiedIndex,',
      },
    ],
    note: 'the answer to a heartbeat, which does not wait for the disk, claims what is only in memory',
  },
  {
    name: 'leader-counts-itself-before-sync',
    breaks: 'e, committed is synced on a quorum',
    edits: [
      {
        file: REPLICATION,
        find: 'id === state.id ? state.log.persistedIndex :',
        replace: 'id === state.id ? state.log.lastIndex :',
      },
    ],
    note: 'the copy of the leader counts before it is on its disk',
  },
  {
    name: 'single-voter-applies-before-sync',
    breaks: 'r, apply before sync',
    edits: [
      {
        file: RAFT,
        find: 'const through = Math.min(state.commitIndex, state.log.persistedIndex);',
        replace:
          "const isAlone = state.role === 'leader' && state.configuration.voters.length === 1;\n    const through = isAlone ? state.log.lastIndex : Math.min(state.commitIndex, state.log.persistedIndex);",
      },
    ],
    note: 'a cluster of one hands out entries before it has synced them',
  },
  {
    name: 'apply-before-sync',
    breaks: 'w, apply before sync',
    edits: [
      {
        file: RAFT,
        find: 'const through = Math.min(state.commitIndex, state.log.persistedIndex);',
        replace: 'const through = state.commitIndex;',
      },
    ],
    note: 'the state machine gets ahead of the log on the disk',
  },
  {
    name: 'commits-by-counting-an-old-term',
    breaks: 'commit only through the current term',
    edits: [
      {
        file: REPLICATION,
        find: 'if (index <= state.commitIndex || state.log.termAt(index) !== state.currentTerm) return;',
        replace: 'if (index <= state.commitIndex) return;',
      },
    ],
    note: 'figure 8 of the paper: an entry of an old term on a majority is called committed, and overwritten later',
  },
  {
    name: 'commit-by-incoming-voters-alone',
    breaks: 'b, q',
    edits: [
      {
        file: QUORUM,
        find: 'return Math.min(incoming, storedByMajority(configuration.outgoingVoters, matchIndexOf));',
        replace: 'return incoming;',
      },
    ],
    note: 'in a joint configuration the new voters commit by themselves',
  },
  {
    name: 'learner-counts',
    breaks: 'learners never counted',
    edits: [
      {
        file: QUORUM,
        find: 'const incoming = storedByMajority(configuration.voters, matchIndexOf);',
        replace:
          'const { voters, learners } = configuration;\n  const incoming = storedByMajority(voters, (id) =>\n    Math.max(matchIndexOf(id), ...learners.map(matchIndexOf)),\n  );',
      },
    ],
    note: 'the copy of a learner counts in place of that of a voter',
  },
  {
    name: 'follower-commits-what-it-has-not-verified',
    breaks: 'n',
    edits: [
      {
        file: REPLICATION,
        find: 'this.commitTo(state, Math.min(message.leaderCommit, verifiedIndex));',
        replace: 'this.commitTo(state, Math.min(message.leaderCommit, log.lastIndex));',
      },
    ],
    note: 'a follower commits an old tail that the leader is about to replace',
  },
  {
    name: 'truncates-without-conflict',
    breaks: 'o',
    edits: [
      {
        file: REPLICATION,
        find: 'const firstNew = entries.findIndex((entry) => !log.matches(entry.index, entry.term));',
        replace: 'const firstNew = entries.findIndex((entry) => entry.index > state.commitIndex);',
      },
    ],
    note: 'an old message that comes late takes away what came after it',
  },
  {
    name: 'previous-term-unchecked',
    breaks: 'log matching',
    edits: [
      {
        file: REPLICATION,
        find: 'if (!log.matches(message.prevLogIndex, message.prevLogTerm)) {',
        replace: 'if (message.prevLogIndex > log.lastIndex) {',
      },
    ],
    note: 'entries are put behind others than the leader has',
  },
  {
    name: 'late-answer-takes-back',
    breaks: 'p',
    edits: [
      {
        file: PROGRESS,
        find: 'this.matchIndex = Math.max(this.matchIndex, matchIndex);',
        replace: 'this.matchIndex = matchIndex;',
      },
    ],
    note: 'an acknowledgement that comes late makes the leader forget what it knew',
  },
  {
    name: 'sync-counts-what-was-truncated',
    breaks: 'p',
    edits: [
      {
        file: 'libs/raft/src/log.ts',
        find: '    this.persistingThrough = Math.min(this.persistingThrough, index - 1);\n',
        replace: '',
      },
    ],
    note: 'the completion of a write is taken for that of entries that have replaced what was written',
  },
  {
    name: 'probe-does-not-go-back',
    breaks: 's, liveness',
    edits: [
      {
        file: REPLICATION,
        find: 'else if (nextIndex < progress.nextIndex) progress.becomeProbe(nextIndex);',
        replace: 'else progress.pause(progress.nextIndex);',
      },
    ],
    note: 'a follower whose log has another end is never brought up to date',
  },
  {
    name: 'no-entry-at-the-beginning-of-a-term',
    breaks: 'd, s',
    edits: [
      {
        file: REPLICATION,
        find: '    this.append(state, EntryType.Noop, [NO_DATA]);\n',
        replace: '    void NO_DATA;\n',
      },
    ],
    note: 'a leader without writes never learns what is committed: reads and changes wait',
  },
  {
    name: 'new-leader-drops-uncommitted',
    breaks: 'leader append-only, leader completeness',
    edits: [
      {
        file: REPLICATION,
        find: '    state.uncommittedBytes = 0;\n    state.readContext = 0;',
        replace:
          '    if (state.log.lastIndex > state.commitIndex) state.truncateFrom(state.commitIndex + 1);\n    state.uncommittedBytes = 0;\n    state.readContext = 0;',
      },
    ],
    note: 'a new leader gives up what it does not know as committed',
  },
  {
    name: 'window-of-messages-unbounded',
    breaks: 'windows and quotas',
    edits: [
      {
        file: PROGRESS,
        find: 'return this.inflight.length < messagesMax && this.inflightBytes < bytesMax;',
        replace: 'return messagesMax > 0 && this.inflightBytes < bytesMax;',
      },
    ],
    note: 'any number of messages is sent ahead',
  },
  {
    name: 'window-of-bytes-unbounded',
    breaks: 'windows and quotas',
    edits: [
      {
        file: PROGRESS,
        find: 'return this.inflight.length < messagesMax && this.inflightBytes < bytesMax;',
        replace: 'return this.inflight.length < messagesMax && bytesMax > 0;',
      },
    ],
    note: 'any number of bytes is sent ahead',
  },
  {
    name: 'message-size-unbounded',
    breaks: 'windows and quotas',
    edits: [
      {
        file: REPLICATION,
        find: 'state.log.slice(progress.nextIndex, state.log.lastIndex, this.config.appendBytesMax);',
        replace: 'state.log.slice(progress.nextIndex, state.log.lastIndex, Infinity);',
      },
    ],
    note: 'one message takes all that a follower lacks',
  },
  {
    name: 'uncommitted-unbounded',
    breaks: 'windows and quotas',
    edits: [
      {
        file: REPLICATION,
        find: "    if (state.uncommittedBytes > this.config.uncommittedBytesMax) return 'uncommitted_limit';\n",
        replace: '',
      },
    ],
    note: 'a leader that commits nothing takes proposals until its memory is full',
  },
  {
    name: 'uncommitted-never-released',
    breaks: 'windows and quotas, s',
    edits: [
      {
        file: REPLICATION,
        find: "    if (state.role === 'leader') this.releaseUncommitted(state, index);\n",
        replace: '    void this.releaseUncommitted.name;\n',
      },
    ],
    note: 'a leader refuses all proposals after a while',
  },
  {
    name: 'apply-unpaced',
    breaks: 'windows and quotas',
    edits: [
      {
        file: RAFT,
        find: 'state.log.slice(state.handedToApply + 1, through, this.config.applyBytesMax);',
        replace: 'state.log.slice(state.handedToApply + 1, through, Infinity);',
      },
    ],
    note: 'everything that is committed is handed to the state machine at once',
  },
];
