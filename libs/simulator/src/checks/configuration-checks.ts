import { decodeConfiguration, EntryType, type Entry } from '@app/raft';
import type { ObservedNode } from '../observer.js';
import { fail } from './fail.js';
import { doQuorumsMeet } from './quorums.js';

/** What a leader may append: one change at a time, only after an entry of its own term is committed, and none that splits the cluster. */
export class ConfigurationChecks {
  private readonly compared = new Set<string>();

  /** An entry has appeared in a leader's log, in its term. */
  appended({ id, state }: ObservedNode, entry: Entry): void {
    if (entry.type !== EntryType.Configuration || state === undefined) return;
    const next = decodeConfiguration(entry.data);
    if (next === undefined) fail('neighbouring_quorums', `entry ${entry.index} of ${id} is no configuration`);
    const previous = state.configurations.at(entry.index - 1);
    if (previous.index > state.commitIndex) {
      fail(
        'one_uncommitted_change',
        `${id} appends the change ${entry.index}, that of ${previous.index} is not committed`,
      );
    }
    if (state.log.termAt(Math.min(state.commitIndex, entry.index - 1)) !== state.currentTerm) {
      fail(
        'change_before_own_commit',
        `${id} appends the change ${entry.index} with nothing of term ${state.currentTerm} committed`,
      );
    }
    const pair = JSON.stringify([previous.configuration, next]);
    if (this.compared.has(pair)) return;
    this.compared.add(pair);
    if (!doQuorumsMeet(previous.configuration, next)) {
      fail('neighbouring_quorums', `${id} goes from one configuration to another that need not meet it: ${pair}`);
    }
  }
}
