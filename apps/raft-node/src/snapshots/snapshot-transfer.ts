import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@app/platform';
import type { InstallSnapshot } from '@app/raft';
import { RingraftError, type ErrorCode, type InstallSnapshotRequest } from '@app/rpc';
import type { StateSnapshot } from '@app/storage';
import { SendingStream, type SendingCall, type SendingStreamEvents } from './sending-stream.js';
import type { SnapshotLimits } from './snapshot-limits.js';
import type { SnapshotMetrics, TransferResult } from './snapshot-metrics.js';
import type { Throttle } from './throttle.js';

/** With these the receiver would say the same again. */
const FINAL_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['NOT_LEADER', 'WRONG_CLUSTER', 'UNSUPPORTED']);

/**
 * Brings a state to one member, over as many streams as it takes: one that breaks is followed by another, which finds what the
 * earlier ones have stored. Gives up when it gets no further for `stallMsMax`, not counting the waits for its share of the bandwidth.
 */
export class SnapshotTransfer implements SendingStreamEvents {
  private readonly cancelled = new AbortController();
  private stream: SendingStream | undefined;
  private storedRanges = 0;
  private skippedRanges = 0;
  private sentBytes = 0;
  private streams = 0;
  private retryDelayMs: number;
  private giveUpAtMs = 0;

  constructor(
    private readonly message: InstallSnapshot,
    private readonly header: InstallSnapshotRequest,
    private readonly snapshot: StateSnapshot,
    private readonly open: () => SendingCall,
    private readonly throttle: Throttle,
    private readonly limits: SnapshotLimits,
    private readonly metrics: SnapshotMetrics,
    private readonly log: Log,
  ) {
    this.retryDelayMs = limits.retryDelayMs;
  }

  /** Never rejects. */
  async run(): Promise<TransferResult> {
    const startMs = performance.now();
    this.giveUpAtMs = startMs + this.limits.stallMsMax;
    this.metrics.sendStarted();
    this.log.info(this.facts(), 'sending the state to a member');
    const result = await this.attempts();
    this.metrics.sendEnded(result);
    const seconds = Number(((performance.now() - startMs) / 1000).toFixed(3));
    const { sentBytes, storedRanges, skippedRanges, streams } = this;
    this.log.info(
      { ...this.facts(), result, seconds, bytes: sentBytes, ranges: storedRanges, skippedRanges, streams },
      'sending the state to a member has ended',
    );
    return result;
  }

  /** `run` soon resolves to `cancelled`, unless it has ended. */
  cancel(): void {
    this.cancelled.abort();
    this.stream?.fail(new RingraftError('OUTCOME_UNKNOWN', 'the transfer was cancelled'));
  }

  stored(ranges: number): void {
    if (ranges <= this.storedRanges) return;
    this.storedRanges = ranges;
    this.retryDelayMs = this.limits.retryDelayMs;
    this.giveUpAtMs = performance.now() + this.limits.stallMsMax;
  }

  skipped(): void {
    this.skippedRanges += 1;
    this.metrics.rangeSkipped();
  }

  sending(rowBytes: number, waitedMs: number): void {
    this.sentBytes += rowBytes;
    this.giveUpAtMs += waitedMs;
    this.metrics.rowsSent(rowBytes);
  }

  private async attempts(): Promise<TransferResult> {
    while (!this.cancelled.signal.aborted) {
      try {
        await this.attempt();
        return 'complete';
      } catch (error) {
        if (this.cancelled.signal.aborted) break;
        if (this.isOver(error)) {
          this.log.error({ ...this.facts(), err: error }, 'the state could not be sent');
          return 'failed';
        }
        const reason = (error as Error).message;
        this.log.warn({ ...this.facts(), reason, retryInMs: this.retryDelayMs }, 'a stream of the state broke');
      }
      await sleep(this.retryDelayMs, undefined, { signal: this.cancelled.signal }).catch(() => undefined);
      this.retryDelayMs = Math.min(2 * this.retryDelayMs, this.limits.retryDelayMsMax);
    }
    return 'cancelled';
  }

  private async attempt(): Promise<void> {
    this.streams += 1;
    this.stream = new SendingStream(this.open(), this.snapshot, this.throttle, this.limits, this);
    await this.stream.run(this.header);
  }

  /** Whether another stream is of no use. What is no `RingraftError` comes from the state itself. */
  private isOver(error: unknown): boolean {
    if (!(error instanceof RingraftError) || FINAL_CODES.has(error.code)) return true;
    return performance.now() + this.retryDelayMs > this.giveUpAtMs;
  }

  private facts(): object {
    const { to, term, snapshot } = this.message;
    return { peer: to, term, index: snapshot.index };
  }
}
