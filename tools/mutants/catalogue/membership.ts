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
  {
    name: 'laggard-promoted',
    breaks: 'dissertation 4.2.1',
    edits: [
      {
        file: MEMBERSHIP,
        find: 'change.promote?.find((id) => !this.hasCaughtUp(state, id));',
        replace: 'change.promote?.find((id) => state.now < 0 && !this.hasCaughtUp(state, id));',
      },
    ],
    note: 'a joining learner becomes a voter before it has anything',
  },
  {
    name: 'learner-promoted-unasked',
    breaks: 'learners never counted',
    edits: [
      {
        file: MEMBERSHIP,
        find: 'for (const id of Object.keys(state.configuration.joining ?? {})) {',
        replace: 'for (const id of state.configuration.learners) {',
      },
    ],
    note: 'who was only to learn becomes a voter',
  },
  {
    name: 'joining-forgotten-with-an-incarnation',
    breaks: 'stale configuration',
    edits: [
      {
        file: MEMBERSHIP,
        find: '{ ...configuration, incarnations }',
        replace: '{ ...configuration, joining: undefined, incarnations }',
      },
    ],
    note: 'the learner is heard for the first time, and its flag is lost: it never becomes a voter',
  },
  {
    name: 'replaced-voter-stays',
    breaks: 'b, dissertation 4.3',
    edits: [
      {
        file: 'libs/raft/src/membership-change.ts',
        find: '...promote.flatMap((id) => replacedBy(configuration, id) ?? [])',
        replace: '',
      },
    ],
    note: 'a dead voter that was to be replaced counts on, beside its successor',
  },
  {
    name: 'joining-only-under-the-leader-that-began-it',
    breaks: 'b',
    edits: [
      {
        file: MEMBERSHIP,
        find: 'if (this.propose(state, { promote: [id] }).accepted) return;',
        replace:
          'const { currentIndex } = state.configurations;\n      const isOwn = currentIndex > state.log.base.index && state.log.termAt(currentIndex) === state.currentTerm;\n      if (isOwn && this.propose(state, { promote: [id] }).accepted) return;',
      },
    ],
    note: 'if the leader changes while a learner joins, it remains a learner for ever',
  },
];
