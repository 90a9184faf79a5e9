import { setTimeout as delay } from 'node:timers/promises';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { DecodeError, StateCheck, UnsupportedVersionError } from '@app/kv';
import { LOG, type Log } from '@app/platform';
import { CorruptStateError, StateStore, type StateSnapshot } from '@app/storage';
import { RaftNodeConfig } from '../raft-node.config.js';
import { Quarantine } from './quarantine.js';

const RANGE_BYTES = 128 * 1024;

/** Slow enough to be no burden. */
const BYTES_PER_SECOND = 16 * 1024 * 1024;

/** A start waits so long for the verdict. A state that takes longer is read on in the background. */
const START_BUDGET_MS = 3_000;

/**
 * Reads the whole state from the disk and compares its records with the hash that every write has maintained: what was changed by anything
 * but a command is found, even if no checksum is wrong. At the start, at full speed for a moment, so that a small state is known to be
 * sound before anybody reads it; then from time to time. A node whose state is not sound puts itself into quarantine.
 */
@Injectable()
export class StateScrub implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private running: Promise<void> = Promise.resolve();
  /** Whole states that were read since the process started. */
  completed = 0;

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly store: StateStore,
    private readonly quarantine: Quarantine,
    @Inject(LOG) private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    if (this.config.stateScrubMs === 0) return;
    this.running = this.scrub(performance.now() + START_BUDGET_MS);
    await Promise.race([this.running, delay(START_BUDGET_MS, undefined, { ref: false })]);
  }

  onApplicationBootstrap(): void {
    if (this.config.stateScrubMs > 0) this.running = this.running.then(() => this.repeat());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  private async repeat(): Promise<void> {
    for (;;) {
      // Not all nodes at once, whenever they were started.
      await this.pause(this.config.stateScrubMs * (0.75 + Math.random() / 2));
      if (this.stopped.signal.aborted) return;
      await this.scrub(-Infinity);
    }
  }

  /** Until `fullSpeedUntilMs` (of `performance.now()`) without pauses. Never rejects. */
  private async scrub(fullSpeedUntilMs: number): Promise<void> {
    // Without it there is nothing to read yet; what is in quarantine needs no second reason.
    if (this.store.syncedAppliedIndex === 0 || this.quarantine.isEntered) return;
    const startedAtMs = performance.now();
    try {
      const snapshot = await this.store.snapshot();
      try {
        const damage = await this.read(snapshot, fullSpeedUntilMs);
        if (this.stopped.signal.aborted) return;
        this.completed += 1;
        const durationMs = Math.round(performance.now() - startedAtMs);
        this.log.info(
          { index: snapshot.description.index, durationMs, isSound: damage === undefined },
          'state verified',
        );
        if (damage !== undefined) await this.quarantine.enter(damage);
      } finally {
        await snapshot.close();
      }
    } catch (error) {
      // A row with a wrong checksum stops the node, by the store itself.
      if (!(error instanceof CorruptStateError)) this.log.warn({ err: error }, 'the state could not be verified');
    }
  }

  /** What is wrong with the state, for people; undefined if nothing is. */
  private async read(snapshot: StateSnapshot, fullSpeedUntilMs: number): Promise<string | undefined> {
    const check = new StateCheck();
    let from: Uint8Array | undefined = new Uint8Array(0);
    while (from !== undefined && !this.stopped.signal.aborted) {
      const startedAtMs = performance.now();
      const range = await snapshot.range(from, RANGE_BYTES);
      let bytes = 0;
      for (const row of range.rows) {
        check.add(row);
        bytes += row.key.length + row.value.length;
      }
      from = range.to;
      const endedAtMs = performance.now();
      const pauseMs = (bytes / BYTES_PER_SECOND) * 1_000 - (endedAtMs - startedAtMs);
      if (endedAtMs > fullSpeedUntilMs && pauseMs > 0) await this.pause(pauseMs);
    }
    return this.stopped.signal.aborted ? undefined : this.damageOf(check, snapshot.description.index);
  }

  private damageOf(check: StateCheck, index: number): string | undefined {
    const where = `the state database in ${this.config.dataDir} is damaged`;
    try {
      const { isSound, content, recorded, appliedIndex } = check.verdict();
      if (appliedIndex !== index)
        return `${where}: it is of entry ${index} and says of itself to be of entry ${appliedIndex}`;
      if (isSound) return undefined;
      return `${where}: after entry ${index} its records have content ${content}, and they were written with ${recorded.content}`;
    } catch (error) {
      if (!(error instanceof DecodeError) && !(error instanceof UnsupportedVersionError)) throw error;
      return `${where}: what it says of itself cannot be read: ${error.message}`;
    }
  }

  private async pause(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.stopped.signal, ref: false });
    } catch {
      // Stopped.
    }
  }
}
