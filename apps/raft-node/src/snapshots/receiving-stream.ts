import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  RingraftError,
  toServiceError,
  type InstallSnapshotRequest,
  type InstallSnapshotResponse,
  type SnapshotRange,
  type SnapshotVerdict,
} from '@app/rpc';

export type ReceivingCall = ServerDuplexStream<InstallSnapshotRequest, InstallSnapshotResponse>;

/** Requests that wait here; more of them wait in the stream, and then at the sender. */
const QUEUE_LENGTH = 8;

/** The receiver's end of a stream: requests one by one, and no faster than they are taken. */
export class ReceivingStream {
  private readonly queue: InstallSnapshotRequest[] = [];
  private outcome: 'open' | 'ended' | RingraftError = 'open';
  private wake: (() => void) | undefined;

  constructor(
    private readonly call: ReceivingCall,
    private readonly selfId: string,
  ) {
    if (call.cancelled) this.close(broken());
    call.on('data', (request: InstallSnapshotRequest) => {
      this.queue.push(request);
      if (this.queue.length >= QUEUE_LENGTH) call.pause();
      this.wake?.();
    });
    call.on('end', () => this.close('ended'));
    call.on('cancelled', () => this.close(broken()));
    call.on('error', () => this.close(broken()));
  }

  /** Rejects when the stream has ended: its next message is what the receiver waits for. Only one call at a time. */
  async next(): Promise<InstallSnapshotRequest> {
    while (this.outcome === 'open' && this.queue.length === 0) {
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    this.requireOpen();
    const request = this.shift();
    if (request === undefined) throw new RingraftError('OUTCOME_UNKNOWN', 'the sender ended the stream');
    return request;
  }

  /** The range that has arrived already and would come next, if it fits. */
  takeRangeIf(fits: (range: SnapshotRange) => boolean): SnapshotRange | undefined {
    const range = this.queue[0]?.range;
    if (range === undefined || !fits(range)) return undefined;
    this.shift();
    return range;
  }

  answer(verdict: SnapshotVerdict, sequence = 0): void {
    if (this.isOpen) this.call.write({ verdict, sequence, followerId: this.selfId });
  }

  /** Throws what ended the stream, if anything but the sender's orderly end did. */
  requireOpen(): void {
    if (this.outcome instanceof RingraftError) throw this.outcome;
  }

  /** Ends the stream with the status of `error`; with none, as done. What was read ahead is dropped. */
  finish(error?: unknown): void {
    if (!this.isOpen) return;
    if (error === undefined) {
      this.close('ended');
      this.call.end();
    } else {
      this.close(error instanceof RingraftError ? error : new RingraftError('INTERNAL', 'unexpected error'));
      this.call.emit('error', toServiceError(error));
    }
  }

  private shift(): InstallSnapshotRequest | undefined {
    const request = this.queue.shift();
    if (this.queue.length < QUEUE_LENGTH) this.call.resume();
    return request;
  }

  private get isOpen(): boolean {
    return !(this.outcome instanceof RingraftError) && !this.call.writableEnded;
  }

  private close(outcome: 'ended' | RingraftError): void {
    if (this.outcome === 'open' || outcome instanceof RingraftError) {
      if (this.outcome instanceof RingraftError) return;
      this.outcome = outcome;
    }
    this.wake?.();
  }
}

function broken(): RingraftError {
  return new RingraftError('OUTCOME_UNKNOWN', 'the stream broke');
}
