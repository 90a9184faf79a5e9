import type { Mutant } from '../mutant.js';

const READS = 'libs/raft/src/read-index.ts';
const FORWARDED = 'libs/raft/src/forwarded-reads.ts';
const LEASE = 'libs/raft/src/lease.ts';
const ELECTION = 'libs/raft/src/election.ts';

export const READ_MUTANTS: readonly Mutant[] = [
  {
    name: 'read-before-own-commit',
    breaks: 'd',
    edits: [{ file: READS, find: '    if (!state.hasCommittedInTerm) return false;\n', replace: '' }],
    note: 'a new leader reads at a commit index that is behind that of the one before',
  },
  {
    name: 'read-round-used-again',
    breaks: 'd',
    edits: [{ file: READS, find: 'state.readContext += 1;', replace: 'state.readContext ||= 1;' }],
    note: 'answers to an earlier round confirm a later read',
  },
  {
    name: 'read-at-the-applied-index',
    breaks: 'linearizability',
    edits: [
      {
        file: READS,
        find: 'index: state.commitIndex, readers: this.waiting',
        replace: 'index: state.appliedIndex, readers: this.waiting',
      },
    ],
    note: 'a read does not see what is committed and not applied yet',
  },
  {
    name: 'read-without-quorum',
    breaks: 'c, linearizability',
    edits: [
      {
        file: READS,
        find: '    if (!hasQuorum(state.configuration, hasAnswered)) return;\n',
        replace: '    void [hasQuorum, hasAnswered];\n',
      },
    ],
    note: 'a leader that was paused, or cut off, and deposed answers reads',
  },
  {
    name: 'forwarded-read-number-used-again',
    breaks: 'd',
    edits: [
      {
        file: FORWARDED,
        find: 'const requestId = this.nextRequestId++;',
        replace: 'const requestId = this.nextRequestId;',
      },
    ],
    note: 'an answer that comes late confirms a later read of the follower',
  },
  {
    name: 'lease-counted-from-the-answer',
    breaks: 'c',
    edits: [
      {
        file: LEASE,
        find: 'return latest !== undefined && this.lasts(state, latest.tick);',
        replace:
          'const heard = storedByQuorum(state.configuration, (id) =>\n      id === state.id ? state.now : (state.progress.get(id)?.lastContactTick ?? 0),\n    );\n    return latest !== undefined && this.lasts(state, heard);',
      },
      // What it counts from is kept for as long.
      { file: LEASE, find: 'while (this.begun.length > 0 && ', replace: 'while (this.begun.length > 1000 && ' },
    ],
    note: 'answers that were long on their way prolong a lease that has ended',
  },
  {
    name: 'lease-never-ends',
    breaks: 'c',
    edits: [
      {
        file: LEASE,
        find: 'return state.now < tick + this.config.leaseTicks;',
        replace: 'return state.now < tick + 1000 * this.config.leaseTicks;',
      },
    ],
    note: 'a leader that was paused answers from a lease that has ended',
  },
  {
    name: 'lease-before-own-commit',
    breaks: 'd',
    edits: [
      {
        file: READS,
        find: "state.role === 'leader' && state.hasCommittedInTerm && ",
        replace: "state.role === 'leader' && ",
      },
    ],
    note: 'a new leader answers from its lease before it knows what is committed',
  },
  {
    name: 'lease-survives-transfer',
    breaks: 'c, m',
    edits: [
      {
        file: 'libs/raft/src/leadership-transfer.ts',
        find: 'state.timeoutNowSent = true;',
        replace: 'void state.timeoutNowSent;',
      },
    ],
    note: 'a leader that has asked a successor to campaign goes on counting on its lease',
  },
  {
    name: 'lease-forgotten-on-restart',
    breaks: 'c',
    edits: [
      {
        file: 'libs/raft/src/state.ts',
        find: 'this.leaderHeardTick = this.currentTerm > 0 ? 0 : -Infinity;',
        replace: 'this.leaderHeardTick = -Infinity;',
      },
    ],
    note: 'a voter that has just started votes although a lease may count on it',
  },
  {
    name: 'suspicion-breaks-the-lease',
    breaks: 'c',
    edits: [
      {
        file: ELECTION,
        find: 'Math.max(2 * heartbeatTicks, this.boundTicksLeft(state)) + ',
        replace: '2 * heartbeatTicks + ',
      },
      { file: ELECTION, find: ' || this.boundTicksLeft(state) > 0) return;', replace: ') return;' },
      { file: ELECTION, find: '    if (this.boundTicksLeft(state) > 0) return true;\n', replace: '' },
      {
        file: ELECTION,
        find: '(message.isTransfer || this.boundTicksLeft(state) === 0)',
        replace: 'message.from !== state.id',
      },
    ],
    note: 'voters whose connections to the leader have broken elect another one within its lease',
  },
  {
    name: 'reads-of-a-lost-leadership-unanswered',
    breaks: 's',
    edits: [
      {
        file: READS,
        find: "    this.answer(readers, 'leadership_lost', state, ready);\n",
        replace: '    void [readers, state, ready];\n',
      },
    ],
    note: 'reads that wait while the leadership is lost wait for ever',
  },
  {
    name: 'forwarded-read-waits-for-ever',
    breaks: 's',
    edits: [
      {
        file: FORWARDED,
        find: "      this.reject(this.asked.contexts, 'unanswered', ready);\n      this.asked = undefined;",
        replace: '      void ready;',
      },
    ],
    note: 'a follower whose question or answer is lost waits for ever, and its reads with it',
  },
  {
    name: 'reads-unbounded',
    breaks: 'windows and quotas',
    edits: [
      {
        file: READS,
        find: "    else if (this.pendingCount >= this.config.pendingReadsMax) this.answer([context], 'read_limit', state, ready);\n",
        replace: '',
      },
    ],
    note: 'any number of reads may wait',
  },
  {
    name: 'proposals-of-a-lost-leadership-unanswered',
    breaks: 's',
    edits: [
      {
        file: 'libs/simulator/src/pending-proposals.ts',
        find: '    for (const { waiting } of lost) waiting.unknown(LEADERSHIP_LOST);\n',
        replace: '    void lost;\n',
      },
    ],
    note: 'clients of a deposed leader wait for ever for what became of their writes',
  },
];
