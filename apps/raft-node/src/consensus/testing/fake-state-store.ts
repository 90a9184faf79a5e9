import { MemoryKeySpace, type KeySpace, type RowChange } from '@app/kv';
import type { StateDescription } from '@app/storage';

/** A state that came whole, as `StagedState` of the real store. */
export class FakeStaged {
  end: 'closed' | 'discarded' | undefined;

  constructor(readonly rows: MemoryKeySpace) {}

  close(): Promise<void> {
    this.end = 'closed';
    return Promise.resolve();
  }

  discard(): Promise<void> {
    this.end = 'discarded';
    return Promise.resolve();
  }
}

/** What the driver uses of the state database, in memory: everything described is durable when `sync` is called. */
export class FakeStateStore implements KeySpace {
  rows = new MemoryKeySpace();
  description: StateDescription | undefined;
  isInstalled = false;
  syncedAppliedIndex = 0;
  pendingBytes = 0;
  /** Waited for by `install`. */
  beforeInstall: () => Promise<void> = () => Promise.resolve();
  readonly log: string[] = [];

  get appliedIndex(): number {
    return this.rows.appliedIndex;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(key);
  }

  write(changes: readonly RowChange[], appliedIndex: number): void {
    this.rows.write(changes, appliedIndex);
  }

  scan(...args: Parameters<KeySpace['scan']>): void {
    this.rows.scan(...args);
  }

  describe(description: StateDescription): void {
    if (description.index !== this.appliedIndex) throw new RangeError(`the last write was of ${this.appliedIndex}`);
    this.description = description;
    this.isInstalled = false;
  }

  /** Everything that was described is durable. */
  sync(): number {
    this.syncedAppliedIndex = this.description?.index ?? 0;
    return this.syncedAppliedIndex;
  }

  async install(staged: FakeStaged, description: StateDescription): Promise<void> {
    await this.beforeInstall();
    this.log.push(`install ${description.index}`);
    this.rows = staged.rows;
    this.description = description;
    this.isInstalled = true;
    this.syncedAppliedIndex = description.index;
  }
}
