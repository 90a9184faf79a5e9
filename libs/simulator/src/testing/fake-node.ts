import {
  EntryType,
  RaftState,
  simpleConfiguration,
  type Configuration,
  type Entry,
  type Message,
  type RaftConfig,
} from '@app/raft';
import type { ObservedNode } from '../observer.js';

const config = {
  electionTimeoutTicks: 5,
  heartbeatTicks: 1,
  preVote: true,
  checkQuorum: true,
  leaseTicks: 0,
  appendBytesMax: 100,
  inflightMessagesMax: 2,
  inflightBytesMax: 1000,
  uncommittedBytesMax: 50,
  pendingReadsMax: 2,
  applyBytesMax: 100,
  retainedEntries: 0,
  cacheBytesMax: 1000,
} satisfies Omit<RaftConfig, 'id'>;

/** A node whose state a test writes as it likes, to show a check what must not be. */
export class FakeNode implements ObservedNode {
  readonly incarnation = 'first';
  readonly config: RaftConfig;
  readonly isUp = true;
  readonly raft = undefined;
  readonly state: RaftState;
  appliedIndex = 0;
  rows: { key: Uint8Array; value: Uint8Array }[] = [];

  constructor(
    readonly id: string,
    configuration: Configuration = simpleConfiguration(['a', 'b', 'c']),
  ) {
    this.config = { ...config, id };
    this.state = new RaftState(id, {
      hardState: { currentTerm: 0, votedFor: undefined, commitIndex: 0 },
      log: { base: { index: 0, term: 0 }, lastIndex: 0, termRuns: [], tail: [] },
      configurations: [{ index: 0, configuration }],
      appliedIndex: 0,
    });
    // A leader that counts right, whatever the test writes into its log.
    const { state } = this;
    Object.defineProperty(state, 'uncommittedBytes', {
      get: () => {
        const { log, commitIndex, currentTerm } = state;
        const uncommitted = commitIndex < log.lastIndex ? log.slice(commitIndex + 1, log.lastIndex, Infinity)! : [];
        return uncommitted.reduce((sum, { term, data }) => sum + (term === currentTerm ? data.length + 32 : 0), 0);
      },
    });
  }

  stateRows(): Iterable<{ key: Uint8Array; value: Uint8Array }> {
    return this.rows;
  }

  lead(term: number): this {
    this.state.currentTerm = term;
    this.state.role = 'leader';
    return this;
  }
}

export const entryOf = (index: number, term: number, type: Entry['type'] = EntryType.Noop): Entry => ({
  index,
  term,
  type,
  data: new Uint8Array(0),
});

export const appendEntries = (
  fields: Partial<Extract<Message, { type: 'AppendEntries' }>>,
): Extract<Message, { type: 'AppendEntries' }> => ({
  type: 'AppendEntries',
  from: 'a',
  to: 'b',
  term: 1,
  prevLogIndex: 0,
  prevLogTerm: 0,
  entries: [],
  leaderCommit: 0,
  readContext: 0,
  ...fields,
});
