import type { Mutant } from '../mutant.js';

const ELECTION = 'libs/raft/src/election.ts';
const RAFT = 'libs/raft/src/raft.ts';
const STATE = 'libs/raft/src/state.ts';
const QUORUM = 'libs/raft/src/quorum.ts';
const TRANSFER = 'libs/raft/src/leadership-transfer.ts';

export const ELECTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'vote-not-persisted',
    breaks: 'e, one vote per term',
    edits: [
      {
        file: RAFT,
        find: 'votedFor: state.votedFor, commitIndex }',
        replace: 'votedFor: undefined, commitIndex }',
      },
    ],
    note: 'a voter forgets its vote with its process',
  },
  {
    name: 'step-down-clears-vote',
    breaks: 'e, one vote per term',
    edits: [
      {
        file: ELECTION,
        find: '    if (term > state.currentTerm) {\n      state.currentTerm = term;\n      state.votedFor = undefined;\n    }',
        replace: '    state.currentTerm = term;\n    state.votedFor = undefined;',
      },
    ],
    note: 'who becomes a follower within a term may vote in it again',
  },
  {
    name: 'vote-before-sync',
    breaks: 'e, promise before sync',
    edits: [
      {
        file: ELECTION,
        find: "ready.sendAfterPersist({\n      type: 'RequestVoteResponse',\n      from: state.id,\n      to: message.from,\n      term: isGranted",
        replace:
          "ready.send({\n      type: 'RequestVoteResponse',\n      from: state.id,\n      to: message.from,\n      term: isGranted",
      },
    ],
    note: 'a vote leaves before it is on the disk',
  },
  {
    name: 'campaign-before-sync',
    breaks: 'e, promise before sync',
    edits: [
      { file: ELECTION, find: '      if (isPreVote) ready.send(message);\n      else ready', replace: '      ready' },
      { file: ELECTION, find: '.sendAfterPersist(message);', replace: '.send(message);' },
    ],
    note: 'a candidate asks for votes before its vote for itself is on the disk',
  },
  {
    name: 'own-vote-counts-before-sync',
    breaks: 'e, r, election safety',
    edits: [
      {
        file: ELECTION,
        find: 'state.votes = new Map();\n    this.resetTimer(state);\n    this.requestVotes(state, state.currentTerm, ready, isTransfer);',
        replace:
          'state.votes = new Map([[state.id, true]]);\n    this.resetTimer(state);\n    this.requestVotes(state, state.currentTerm, ready, isTransfer);\n    this.countVotes(state, ready);',
      },
    ],
    note: 'a single voter leads before its vote for itself is on the disk',
  },
  {
    name: 'second-vote-in-a-term',
    breaks: 'one vote per term, election safety',
    edits: [
      {
        file: ELECTION,
        find: '      (state.votedFor === undefined &&\n        state.leaderId === undefined &&',
        replace: '      (state.leaderId === undefined &&',
      },
    ],
    note: 'a voter that knows no leader votes for whoever asks',
  },
  {
    name: 'election-restriction-skipped',
    breaks: 'leader completeness',
    edits: [
      {
        file: ELECTION,
        find: 'isFree && state.log.isUpToDate(message.lastLogIndex, message.lastLogTerm) &&',
        replace: 'isFree &&',
      },
    ],
    note: 'a candidate wins without the committed entries',
  },
  {
    name: 'longer-log-wins',
    breaks: 'leader completeness',
    edits: [
      {
        file: 'libs/raft/src/log.ts',
        find: 'return lastLogTerm > this.lastTerm || (lastLogTerm === this.lastTerm && lastLogIndex >= this.last);',
        replace: 'void lastLogTerm;\n    return lastLogIndex >= this.last;',
      },
    ],
    note: 'a long log of an old term is taken for more up to date than a short one of a later term',
  },
  {
    name: 'disruptive-candidate-heard',
    breaks: 'g, h, j',
    edits: [
      {
        file: ELECTION,
        find: "return state.role === 'leader' || state.electionElapsedTicks < this.config.electionTimeoutTicks;",
        replace: 'return false;',
      },
    ],
    note: 'who hears a leader helps to depose it all the same',
  },
  {
    name: 'stale-leader-unanswered',
    breaks: 'g',
    edits: [
      {
        file: RAFT,
        find: '        this.replication.rejectStaleLeader(state, message, ready);',
        replace: '        void ready;',
      },
    ],
    note: 'a node with a later term and the leader of an earlier one ignore each other for ever',
  },
  {
    name: 'check-quorum-missing',
    breaks: 'h',
    edits: [
      {
        file: ELECTION,
        find: '(this.config.checkQuorum && !this.hearsFromQuorum(state))',
        replace: '(state.now < 0 && !this.hearsFromQuorum(state))',
      },
    ],
    note: 'a leader that is heard and hears nobody keeps everyone else from leading',
  },
  {
    name: 'hung-disk-leads',
    breaks: 't',
    edits: [
      {
        file: ELECTION,
        find: 'if (this.hasHungDisk(state) || ',
        replace: 'if ((state.now < 0 && this.hasHungDisk(state)) || ',
      },
    ],
    note: 'a leader whose disk hangs goes on sending heartbeats',
  },
  {
    name: 'same-random-timeouts',
    breaks: 'u',
    edits: [
      {
        file: ELECTION,
        find: 'return base + this.random.nextInt(0, base);',
        replace: 'return base + 0 * this.random.nextInt(0, base);',
      },
    ],
    note: 'all nodes draw the same election timeouts',
  },
  {
    name: 'late-timeout-now-obeyed',
    breaks: 'm',
    edits: [
      {
        file: ELECTION,
        find: '    if (message.lastLogIndex !== log.lastIndex || message.lastLogTerm !== log.lastTerm) return;\n',
        replace: '    void [message, log];\n',
      },
    ],
    note: 'a message that comes late or twice starts an election over the heads of the voters',
  },
  {
    name: 'transfer-never-given-up',
    breaks: 's, liveness',
    edits: [
      {
        file: TRANSFER,
        find: 'if (transfer === undefined || now - transfer.since < this.config.electionTimeoutTicks) return false;',
        replace: 'if (transfer === undefined || now >= transfer.since) return false;',
      },
    ],
    note: 'a leader waits for ever for a successor that does not answer',
  },
  {
    name: 'removed-leader-stays',
    breaks: 'j, liveness',
    edits: [
      {
        file: TRANSFER,
        find: 'return !isVoter(configuration, id) && configurations.currentIndex <= commitIndex;',
        replace: 'return !isVoter(configuration, id) && configurations.currentIndex < commitIndex - 1e9;',
      },
    ],
    note: 'a leader that the cluster has left out goes on leading',
  },
  {
    name: 'half-is-a-majority',
    breaks: 'q',
    edits: [
      {
        file: QUORUM,
        find: 'const majorityOf = (count: number): number => (count >> 1) + 1;',
        replace: 'const majorityOf = (count: number): number => (count + 1) >> 1;',
      },
    ],
    note: 'two of four decide, and so may the other two',
  },
  {
    name: 'joint-vote-by-incoming-alone',
    breaks: 'b, q, election safety',
    edits: [
      {
        file: QUORUM,
        find: "return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending';",
        replace: 'return incoming;',
      },
    ],
    note: 'in a joint configuration the new voters elect a leader by themselves',
  },
  {
    name: 'reluctant-node-takes-over',
    breaks: 'x',
    edits: [{ file: ELECTION, find: "    if (state.candidacy !== 'ready') return;\n", replace: '' }],
    note: 'a leader whose disk is full hands over to a node whose disk is full',
  },
  {
    name: 'reluctant-node-hurries',
    breaks: 'x',
    edits: [{ file: ELECTION, find: '? RELUCTANCE_TIMEOUTS *', replace: '? 0 * RELUCTANCE_TIMEOUTS *' }],
    note: 'a node that had better not lead leads as often as any other',
  },
  {
    name: 'reluctant-node-never-campaigns',
    breaks: 'x, liveness',
    edits: [
      {
        file: STATE,
        find: "this.candidacy === 'never') return false;",
        replace: "this.candidacy !== 'ready') return false;",
      },
    ],
    note: 'when all disks are slow nobody leads any more',
  },
  {
    name: 'unfit-node-campaigns',
    breaks: 'x',
    edits: [{ file: STATE, find: " || this.candidacy === 'never') return false;", replace: ') return false;' }],
    note: 'a node whose state is not to be trusted becomes leader, and answers from it',
  },
  {
    name: 'unfit-leader-stays',
    breaks: 'x',
    edits: [
      {
        file: TRANSFER,
        find: "return this.isRemoved(state) || state.candidacy === 'never';",
        replace: 'return this.isRemoved(state);',
      },
    ],
    note: 'a leader that must not lead goes on when its successor does not take over',
  },
];
