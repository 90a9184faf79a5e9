import { EntryType, type Entry, type LogIndex } from '@app/raft';

/**
 * The entries of the log that hold a configuration, lowest index first. There are few of them, so every change makes a new list and
 * a list that was given away never changes. The data is copied: it keeps no larger buffer alive.
 */
export class ConfigurationEntries {
  private list: readonly Entry[] = [];

  get all(): readonly Entry[] {
    return this.list;
  }

  /** Takes note of any entry that is added to the log, also of those that only replace. */
  put(entry: Entry): void {
    this.truncateAfter(entry.index - 1);
    if (entry.type !== EntryType.Configuration) return;
    const { index, term, type, data } = entry;
    this.list = [...this.list, { index, term, type, data: data.slice() }];
  }

  truncateAfter(index: LogIndex): void {
    const last = this.list[this.list.length - 1];
    if (last && last.index > index) this.list = this.list.filter((entry) => entry.index <= index);
  }

  removeThrough(index: LogIndex): void {
    const first = this.list[0];
    if (first && first.index <= index) this.list = this.list.filter((entry) => entry.index > index);
  }

  clear(): void {
    this.list = [];
  }
}
