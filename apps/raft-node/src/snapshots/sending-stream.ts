import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import {
  RingraftError,
  SnapshotVerdict,
  fromServiceError,
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
} from '@app/rpc';
import type { StateRange, StateSnapshot } from '@app/storage';
import type { SnapshotLimits } from './snapshot-limits.js';
import { bytesOfRows, endRequest, rangeRequest } from './snapshot-wire.js';
import type { Throttle } from './throttle.js';

export type SendingCall = ClientDuplexStream<InstallSnapshotRequest, InstallSnapshotResponse>;

export interface SendingStreamEvents {
  /** So many ranges from the beginning on are durable at the receiver. */
  stored(ranges: number): void;
  /** The receiver held the rows of a range already. */
  skipped(): void;
  /** Rows leave now, after a wait of so long for their turn. */
  sending(rowBytes: number, waitedMs: number): void;
}

interface RangeInFlight {
  readonly range: StateRange;
  readonly bytes: number;
  /** `due`: the receiver lacks the rows, and they have not been sent yet. */
  phase: 'asked' | 'due' | 'sent';
}

/** How often within the bound silence is looked for. */
const CHECKS_PER_SILENCE = 8;

/**
 * One attempt at a transfer: a state, from its first row to its last, over one stream. A few ranges are under way at a time, and only
 * their rows are in memory.
 */
export class SendingStream {
  private readonly ended = new AbortController();
  private readonly digests = createHash('sha256');
  /** By number, in order. */
  private readonly inFlight = new Map<number, RangeInFlight>();
  private bytesInFlight = 0;
  private awaitedAnswers = 0;
  private lastHeardMs = 0;
  private readiness: 'unknown' | 'empty' | 'partial' = 'unknown';
  private nextFrom: Uint8Array | undefined = new Uint8Array(0);
  private nextBytes: number;
  private ranges = 0;
  private rows = 0;
  private isEndSent = false;
  private isComplete = false;
  private isWriterFull = false;
  private error: RingraftError | undefined;
  private hasChanged = false;
  private wake: (() => void) | undefined;

  constructor(
    private readonly call: SendingCall,
    private readonly snapshot: StateSnapshot,
    private readonly throttle: Throttle,
    private readonly limits: SnapshotLimits,
    private readonly events: SendingStreamEvents,
  ) {
    this.nextBytes = limits.rangeBytes;
    call.on('data', (response: InstallSnapshotResponse) => this.answered(response));
    call.on('drain', () => {
      this.isWriterFull = false;
      this.notify();
    });
    call.on('error', (error: ServiceError) => this.fail(fromServiceError(error)));
    call.on('end', () => this.fail(broken('the receiver ended the stream')));
  }

  /** Resolves once the receiver has everything. Rejects with a `RingraftError` when the stream broke, else with that of the snapshot. */
  async run(header: InstallSnapshotRequest): Promise<void> {
    const watch = setInterval(() => this.noticeSilence(), this.limits.silenceMsMax / CHECKS_PER_SILENCE);
    try {
      this.write(header);
      while (!this.isComplete) {
        this.hasChanged = false;
        const isWaiting = !(await this.step());
        if (isWaiting) await this.change();
        if (this.error !== undefined) throw this.error;
      }
      this.call.end();
    } catch (error) {
      this.call.cancel();
      // What waits for its turn is interrupted by the stream's end, which has a reason of its own.
      throw this.error ?? error;
    } finally {
      clearInterval(watch);
    }
  }

  /** Ends the attempt, with `error` as its outcome. */
  fail(error: RingraftError): void {
    if (this.isComplete) return;
    this.error ??= error;
    this.ended.abort();
    this.notify();
  }

  /** Does what can be done next; false when that depends on the receiver. */
  private async step(): Promise<boolean> {
    if (this.isWriterFull || this.readiness === 'unknown') return false;
    const due = this.firstDue();
    if (due !== undefined) {
      await this.sendRows(...due);
      return true;
    }
    if (this.nextFrom === undefined) return this.sendEnd();
    const isFull =
      this.inFlight.size >= this.limits.rangesInFlightMax || this.bytesInFlight >= this.limits.bytesInFlightMax;
    if (isFull) return false;
    this.announce(await this.snapshot.range(this.nextFrom, this.nextBytes));
    return true;
  }

  private firstDue(): [number, RangeInFlight] | undefined {
    for (const entry of this.inFlight) if (entry[1].phase === 'due') return entry;
    return undefined;
  }

  /** Its rows are due at once if the receiver has none; else it is asked first. */
  private announce(range: StateRange): void {
    this.ranges += 1;
    this.rows += range.rows.length;
    this.digests.update(range.digest);
    this.nextFrom = range.to;
    const isAsked = this.readiness === 'partial';
    const bytes = bytesOfRows(range.rows);
    this.nextBytes = Math.min(this.limits.rangeBytes, Math.ceil((this.limits.rangeRows * bytes) / range.rows.length));
    this.inFlight.set(this.ranges, { range, bytes, phase: isAsked ? 'asked' : 'due' });
    this.bytesInFlight += bytes;
    if (isAsked) this.write(rangeRequest(this.ranges, range, false));
  }

  private async sendRows(sequence: number, due: RangeInFlight): Promise<void> {
    const waitMs = this.throttle.reserve(due.bytes);
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.ended.signal });
    due.phase = 'sent';
    this.events.sending(due.bytes, waitMs);
    this.write(rangeRequest(sequence, due.range, true));
  }

  private sendEnd(): boolean {
    if (this.isEndSent || this.inFlight.size > 0) return false;
    this.isEndSent = true;
    this.write(endRequest(this.ranges, this.rows, this.digests.digest()));
    return true;
  }

  private write(request: InstallSnapshotRequest): void {
    if (this.awaitedAnswers === 0) this.lastHeardMs = performance.now();
    this.awaitedAnswers += 1;
    this.isWriterFull = !this.call.write(request);
  }

  private answered({ verdict, sequence }: InstallSnapshotResponse): void {
    if (this.error !== undefined) return;
    this.lastHeardMs = performance.now();
    this.awaitedAnswers -= 1;
    if (!this.takes(verdict, sequence)) {
      this.fail(broken(`the receiver answered ${String(verdict)} to ${sequence}, which fits nothing that was sent`));
    }
    this.notify();
  }

  /** False for what no correct receiver answers here. */
  private takes(verdict: SnapshotVerdict, sequence: number): boolean {
    switch (verdict) {
      case SnapshotVerdict.READY_EMPTY:
      case SnapshotVerdict.READY_PARTIAL:
        if (this.readiness !== 'unknown') return false;
        this.readiness = verdict === SnapshotVerdict.READY_EMPTY ? 'empty' : 'partial';
        return true;
      case SnapshotVerdict.STORED:
        return this.takesStored(sequence);
      case SnapshotVerdict.WANTED: {
        const asked = this.inFlight.get(sequence);
        if (asked?.phase !== 'asked') return false;
        asked.phase = 'due';
        return true;
      }
      case SnapshotVerdict.COMPLETE:
        // In answer to the header: it has the state already.
        this.isComplete = this.isEndSent || this.readiness === 'unknown';
        return this.isComplete;
      default:
        return false;
    }
  }

  private takesStored(sequence: number): boolean {
    const stored = this.inFlight.get(sequence);
    if (stored === undefined || stored.phase === 'due') return false;
    this.inFlight.delete(sequence);
    this.bytesInFlight -= stored.bytes;
    if (stored.phase === 'asked') this.events.skipped();
    const [firstInFlight] = this.inFlight.keys();
    this.events.stored((firstInFlight ?? this.ranges + 1) - 1);
    return true;
  }

  private noticeSilence(): void {
    const boundMs = this.limits.silenceMsMax + (this.bytesInFlight / this.limits.bytesPerSecondMin) * 1000;
    const silentMs = performance.now() - this.lastHeardMs;
    if (this.awaitedAnswers > 0 && silentMs > boundMs) this.fail(broken(`no answer for ${Math.round(silentMs)} ms`));
  }

  private notify(): void {
    this.hasChanged = true;
    this.wake?.();
  }

  /** Resolves when something has happened since the step began. */
  private change(): Promise<void> {
    if (this.hasChanged) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = () => {
        this.wake = undefined;
        resolve();
      };
    });
  }
}

function broken(reason: string): RingraftError {
  return new RingraftError('OUTCOME_UNKNOWN', reason);
}
