import type { Mutant } from '../mutant.js';

const MEMBERSHIP = 'libs/raft/src/membership.ts';
const STATE = 'libs/raft/src/state.ts';

export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  {
    name: 'change-before-own-commit',
    breaks: 'a',
    edits: [{ file: MEMBERSHIP, find: 'if (!state.hasCommittedInTerm) {', replace: 'if (state.commitIndex < 0) {' }],
    note: 'two leaders change the configuration of the same cluster, with quorums that need not meet',
  },
  {
    name: 'second-change-before-the-first-is-committed',
    breaks: 'f, one uncommitted change',
    edits: [
      {
        file: MEMBERSHIP,
        find: 'if (currentIndex > commitIndex) {',
        replace: 'if (currentIndex > state.log.lastIndex) {',
      },
    ],
    note: 'changes overtake each other',
  },
  {
    name: 'joint-left-before-it-is-committed',
    breaks: 'b',
    edits: [
      {
        file: MEMBERSHIP,
        find: 'if (!isJoint(state.configuration) || this.obstacleTo(state) !== undefined) return;',
        replace: "if (!isJoint(state.configuration) || state.role !== 'leader') return;",
      },
    ],
    note: 'the old voters never agreed to the new ones',
  },
  {
    name: 'joint-never-left',
    breaks: 'b',
    edits: [
      {
        file: MEMBERSHIP,
        find: 'if (!isJoint(state.configuration) || this.obstacleTo(state) !== undefined) return;',
        replace: 'if (!isJoint(state.configuration) || state.now >= 0) return;',
      },
    ],
    note: 'a replaced node is needed for ever',
  },
  {
    name: 'joint-left-only-by-its-own-leader',
    breaks: 'b',
    edits: [
      {
        file: MEMBERSHIP,
        find: 'if (!isJoint(state.configuration) || this.obstacleTo(state) !== undefined) return;',
        replace:
          'if (!isJoint(state.configuration) || this.obstacleTo(state) !== undefined) return;\n      if (state.log.termAt(state.configurations.currentIndex) !== state.currentTerm) return;',
      },
    ],
    note: 'if the leader dies in a joint configuration, it is never left',
  },
  {
    name: 'two-voters-change-at-once',
    breaks: 'b, neighbouring configurations',
    edits: [
      {
        file: 'libs/raft/src/membership-change.ts',
        find: 'changedCount > 1 ? before : []',
        replace: 'changedCount > 2 ? before : []',
      },
    ],
    note: 'a voter is replaced without a joint configuration',
  },
  {
    name: 'configuration-in-force-at-commit',
    breaks: 'f',
    edits: [
      {
        file: STATE,
        find: 'return this.configurations.current;',
        replace: 'return this.configurations.at(this.commitIndex).configuration;',
      },
    ],
    note: 'whoever does not know yet that a change is committed counts by the old voters',
  },
  {
    name: 'configuration-forgotten-on-restart',
    breaks: 'stale configuration',
    edits: [{ file: 'libs/storage/src/log-scan.ts', find: '    this.configurations.put(entry);\n', replace: '' }],
    note: 'a node that starts goes by the configuration of its state, not of its log',
  },
  {
    name: 'configuration-survives-truncation',
    breaks: 'f',
    edits: [{ file: STATE, find: '    this.configurations.truncateFrom(index);\n', replace: '' }],
    note: 'a change that never was is in force',
  },
  {
    name: 'learner-campaigns',
    breaks: 'learners never counted',
    edits: [
      {
        file: STATE,
        find: 'if (isVoter(configurations.current, this.id)) return true;',
        replace: 'if (isMember(configurations.current, this.id)) return true;',
      },
    ],
    note: 'a learner is elected',
  },
  {
    name: 'removed-node-not-told',
    breaks: 'j',
    edits: [
      {
        file: MEMBERSHIP,
        find: "this.notify(state, candidate, 'removed', index, ready);",
        replace: 'void [index, ready];',
      },
    ],
    note: 'a removed node that has not heard of it asks for votes for ever',
  },
  {
    name: 'removed-node-campaigns',
    breaks: 'j',
    edits: [{ file: STATE, find: 'if (this.expulsion !== undefined || this.candidacy', replace: 'if (this.candidacy' }],
    note: 'a node that was told of its removal asks for votes all the same',
  },
  {
    name: 'incarnation-unchecked',
    breaks: 'v',
    edits: [
      {
        file: MEMBERSHIP,
        find: 'if (known === undefined || known === incarnation) return true;',
        replace: 'return true;',
      },
    ],
    note: 'a node that has lost its disk is believed what it no longer knows',
  },
];
