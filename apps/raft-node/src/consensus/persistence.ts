import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { StateMachine } from '@app/kv';
import {
  encodeConfiguration,
  type Configuration,
  type LogIndex,
  type PersistBatch,
  type SnapshotMetadata,
} from '@app/raft';
import { StateFullError, StateStore, WriteAheadLog, promised, type Done, type StateDescription } from '@app/storage';
import { restoreStateMachine } from '../fsm/state-machine.provider.js';
import type { ReceivedSnapshot } from '../peers/received-snapshot.js';
import { RaftNodeConfig } from '../raft-node.config.js';

/** A log that was given nothing for so long is sealed: later damage of its end is then recognized as such. */
const SEAL_IDLE_MS = 1_000;

/** How often an installation that found no space is tried again. */
const FULL_RETRY_MS = 1_000;

/** What the core wants stored, on its way to the log and to the state database, in the order that `PersistBatch` states. */
@Injectable()
export class Persistence {
  /** A snapshot that came with its state and that the core has taken over: it will ask for it to be installed. */
  private received: ReceivedSnapshot | undefined;
  private installing = false;
  private encoded: { readonly configuration: Configuration; readonly bytes: Uint8Array } | undefined;
  private lastWriteMs = performance.now();
  private isSealed = false;

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly wal: WriteAheadLog,
    private readonly store: StateStore,
    private readonly stateMachine: StateMachine,
  ) {}

  /**
   * From before the state database begins to change until log, database and memory are all those of the snapshot. In between the state
   * machine must not be read, and what the database calls durable is not yet the core's.
   */
  get isInstalling(): boolean {
    return this.installing;
  }

  /** Completes once all of the batch is durable, in order. */
  persist(batch: PersistBatch, done: Done): void {
    this.lastWriteMs = performance.now();
    this.isSealed = false;
    const { hardState, snapshot, entries } = batch;
    if (snapshot === undefined) {
      this.wal.append({ hardState, entries }, done);
      return;
    }
    this.installing = true;
    this.install(batch, snapshot).then(
      () => {
        this.installing = false;
        done(undefined);
      },
      (error: Error) => done(error),
    );
  }

  /** Keeps a state whose snapshot the core has taken over, and will ask for. */
  keep(received: ReceivedSnapshot): void {
    this.received = received;
  }

  /** What the rows that were just applied stand for becomes durable with them. */
  describe(snapshot: SnapshotMetadata): void {
    this.store.describe(this.descriptionOf(snapshot));
  }

  /** How many entries below `index`, which the state database holds, are to stay in the log: fewer when it takes too much of the disk. */
  retainedEntries(index: LogIndex): number {
    const { retainedEntries, logBytesMax } = this.config;
    if (this.wal.sizeBytes <= logBytesMax) return retainedEntries;
    return Math.min(retainedEntries, Math.max(0, index - this.wal.prefixBeyond(logBytesMax)));
  }

  /** To be called now and then. */
  sealWhenIdle(failed: (error: Error) => void): void {
    if (
      this.isSealed ||
      this.installing ||
      this.wal.pendingBytes > 0 ||
      performance.now() - this.lastWriteMs < SEAL_IDLE_MS
    )
      return;
    this.isSealed = true;
    this.wal.seal((error) => {
      if (error) failed(error);
    });
  }

  /** Hard state, state, log, entries: each durable before the next. The state decides: a start repeats what a crash left out behind it. */
  private async install({ hardState, entries }: PersistBatch, snapshot: SnapshotMetadata): Promise<void> {
    if (hardState !== undefined) await promised((done) => this.wal.append({ hardState }, done));
    await this.installState(snapshot);
    await restoreStateMachine(this.stateMachine, this.store);
    const { index, term } = snapshot;
    await promised((done) => this.wal.reset({ index, term }, undefined, done));
    if (entries.length > 0) await promised((done) => this.wal.append({ entries }, done));
  }

  private async installState(snapshot: SnapshotMetadata): Promise<void> {
    const { received } = this;
    if (received === undefined || !isSame(received.message.snapshot, snapshot)) {
      throw new Error(`there is no state for the snapshot of ${snapshot.index}`);
    }
    this.received = undefined;
    let { staged } = received;
    for (;;) {
      try {
        await this.store.install(staged, this.descriptionOf(snapshot));
        break;
      } catch (error) {
        if (!(error instanceof StateFullError)) throw error;
      }
      // Nothing has changed yet, and what was staged stays.
      await staged.close();
      await delay(FULL_RETRY_MS);
      staged = await this.store.stage();
    }
    received.release();
  }

  private descriptionOf({ index, term, configuration }: SnapshotMetadata): StateDescription {
    return {
      index,
      term,
      configurationIndex: configuration.index,
      configuration: this.encode(configuration.configuration),
    };
  }

  /** It is asked for with every batch, and changes with few. */
  private encode(configuration: Configuration): Uint8Array {
    if (this.encoded?.configuration !== configuration) {
      this.encoded = { configuration, bytes: encodeConfiguration(configuration) };
    }
    return this.encoded.bytes;
  }
}

/** Whether they stand for the same state. */
export function isSame(one: SnapshotMetadata, other: SnapshotMetadata | undefined): boolean {
  return one.index === other?.index && one.term === other.term;
}
