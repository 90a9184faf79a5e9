import { isMember, isVoter, type Configuration, type ConfigurationAt } from './configuration.js';
import type { LogIndex, NodeId } from './entry.js';
import { invariant } from './errors.js';

/**
 * The configurations of the log, in its order. The last one is in force, committed or not; a truncation of the log
 * brings back the one before.
 */
export class ConfigurationHistory {
  private readonly known: ConfigurationAt[];

  /** The first one is of the log's base or older, so that every index has one. */
  constructor(restored: readonly ConfigurationAt[]) {
    invariant(restored.length > 0, () => 'no configuration is known');
    this.known = [];
    for (const each of restored) this.append(each.index, each.configuration);
  }

  get current(): Configuration {
    return this.known.at(-1)!.configuration;
  }

  /** The index of the entry that set it. */
  get currentIndex(): LogIndex {
    return this.known.at(-1)!.index;
  }

  /** The one that the entries up to `index` have set. */
  at(index: LogIndex): ConfigurationAt {
    const found = this.known.findLast((each) => each.index <= index);
    invariant(
      found !== undefined,
      () => `the configuration at ${index} was forgotten, the first known is of ${this.known[0]!.index}`,
    );
    return found;
  }

  /** Whether `id` is a member in any of them. */
  hasNamed(id: NodeId): boolean {
    return this.known.some(({ configuration }) => isMember(configuration, id));
  }

  /** Whether `id` is a voter in the one of `index` or in a later one. */
  hasVoterSince(index: LogIndex, id: NodeId): boolean {
    const { index: since } = this.at(index);
    return this.known.some((each) => each.index >= since && isVoter(each.configuration, id));
  }

  append(index: LogIndex, configuration: Configuration): void {
    const last = this.known.at(-1);
    invariant(last === undefined || index > last.index, () => `configuration ${index} behind ${last?.index}`);
    this.known.push({ index, configuration });
  }

  truncateFrom(index: LogIndex): void {
    while (this.known.length > 1 && this.known.at(-1)!.index >= index) this.known.pop();
  }

  /** Only the one in force at `index`, and later ones, will be asked for. */
  compactThrough(index: LogIndex): void {
    const first = this.known.findLastIndex((each) => each.index <= index);
    if (first > 0) this.known.splice(0, first);
  }

  /** A snapshot has replaced the log. */
  restore(snapshot: ConfigurationAt): void {
    this.known.length = 0;
    this.known.push(snapshot);
  }
}
