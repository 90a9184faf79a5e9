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
  snapshotsOpen = 0;
  pendingBytes = 0;
  /** Waited for by `install`. */
  beforeInstall: () => Promise<void> = () => Promise.resolve();
  stage: () => Promise<FakeStaged> = () => Promise.reject(new Error('nothing is staged in this test'));

  private synced: StateDescription | undefined;

  get syncedAppliedIndex(): number {
    return this.synced?.index ?? 0;
  }

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

  /** What a member that is too far behind is sent. */
  snapshot(): Promise<{ readonly description: StateDescription; close(): Promise<void> }> {
    this.snapshotsOpen += 1;
    return Promise.resolve({
      description: this.synced!,
      close: () => {
        this.snapshotsOpen -= 1;
        return Promise.resolve();
      },
    });
  }

  /** Everything that was described is durable. */
  sync(): number {
    this.synced = this.description;
    return this.syncedAppliedIndex;
  }

  async install(staged: FakeStaged, description: StateDescription): Promise<void> {
    await this.beforeInstall();
    this.rows = staged.rows;
    this.description = description;
    this.isInstalled = true;
    this.synced = description;
  }
}
