import { Metadata, type ClientDuplexStream, type StatusObject } from '@grpc/grpc-js';
import type { Channel } from './channel.js';
import { DeadlineWheel, type Expiring } from './deadline-wheel.js';
import type { ErrorCode } from './error-table.js';
import { CLUSTER_KEY } from './cluster-key.js';
import { failedResult } from './execute-result.js';
import { FramePacing } from './frame-pacing.js';
import { CODE_KEY } from './service-error.js';
import {
  Consistency,
  KeyValueClient,
  type ExecuteRequest,
  type ExecuteResponse,
  type Operation,
  type Result,
} from './gen/kv.js';

export interface ExecuteStreamOptions {
  /** Operations accepted and not yet answered, at most; more are refused with OVERLOADED. */
  readonly pendingOperationsMax: number;
  /** Bytes of their commands, at most; more are refused with OVERLOADED. */
  readonly pendingBytesMax: number;
  /** A frame is closed when it has this many operations ... */
  readonly frameOperationsMax: number;
  /** ... or this many bytes. A larger command travels alone. */
  readonly frameBytesMax: number;
  /**
   * Frames that may be without a first result. One is best: the next frame grows while the node works, so the load
   * itself sets the batch size, and the cost of a message is shared by more operations.
   */
  readonly framesInFlightMax: number;
  /**
   * The caller's own work shall go on while the node does its part: at most half of what is outstanding goes into one frame, and the next frame
   * leaves before the results of the last one are given. For a caller whose only stream is busy. Where several are, each of them fills the time
   * of the others, and larger frames cost all nodes less.
   */
  readonly overlapsWork: boolean;
  /**
   * After this time, or twice what frames take of late if that is more (up to 200 ms), a frame no longer holds the next one back, so that
   * slow operations do not stop all others.
   */
  readonly frameHoldMs: number;
  /** How long to wait for a connection before the operations that wait for it are refused with NODE_UNREACHABLE. */
  readonly connectTimeoutMs: number;
  /** The first pause after a stream that broke before it brought any result; doubled each time, with jitter. */
  readonly reopenDelayMs: number;
  readonly reopenDelayMaxMs: number;
  /** The cluster that the node has to be of: one of another refuses the stream, and nothing was applied. Default: any. */
  readonly clusterId?: string;
}

const DEFAULTS: ExecuteStreamOptions = {
  pendingOperationsMax: 16_384,
  pendingBytesMax: 64 * 1024 * 1024,
  frameOperationsMax: 1_024,
  frameBytesMax: 4 * 1024 * 1024,
  framesInFlightMax: 1,
  overlapsWork: false,
  frameHoldMs: 20,
  connectTimeoutMs: 1_000,
  reopenDelayMs: 20,
  reopenDelayMaxMs: 1_000,
};

/** Frames are not halved below this: fewer operations are no work to speak of. */
const HALVED_OPERATIONS_MIN = 8;

/** How exactly deadlines are kept. */
const TICK_MS = 10;

/** What an operation costs in a frame beside its command, roughly. */
const OPERATION_OVERHEAD_BYTES = 32;

export interface OperationRequest {
  /** In the encoding of libs/kv. Belongs to the stream until the result is there. */
  readonly command: Uint8Array;
  /** How long the caller waits, in milliseconds, above 0. */
  readonly timeoutMs: number;
  readonly consistency?: Consistency;
  /** A follower passes the operation on instead of answering NOT_LEADER. */
  readonly forward?: boolean;
  /** For the log of the node. */
  readonly requestId?: string | undefined;
}

/**
 * Operations to one node over one bidirectional stream, many per frame. What is asked for in one turn of the event
 * loop leaves in one frame; while a frame is in flight, what comes collects for the next. The stream opens when first
 * needed and again after it broke.
 *
 * Every operation ends, with exactly one result: the node's, or one made here whose outcome is honest. Not written yet:
 * `not_applied` (NODE_UNREACHABLE, TIMED_OUT, OVERLOADED, SHUTTING_DOWN). Written, and no answer came: `unknown`
 * (OUTCOME_UNKNOWN). Nothing is ever sent twice.
 */
export class ExecuteStream {
  private readonly options: ExecuteStreamOptions;
  private readonly wheel = new DeadlineWheel(TICK_MS);
  private readonly pending = new Map<number, PendingOperation>();
  private pendingBytes = 0;
  /** In order of arrival; may hold operations that have ended since. */
  private queue: PendingOperation[] = [];
  private call: ClientDuplexStream<ExecuteRequest, ExecuteResponse> | undefined;
  private nextId = 1;
  private framesInFlight = 0;
  /** What was not answered yet just before the last results came. */
  private outstanding = 0;
  /** A frame is on its way into the socket; the next waits until it is in (back-pressure). */
  private isWriting = false;
  private isFlushScheduled = false;
  /** Runs while what is queued waits for more. */
  private refillTimer: NodeJS.Timeout | undefined;
  private readonly pacing: FramePacing;
  private isConnecting = false;
  private isClosed = false;
  /** How often in a row a stream broke before it brought a result. */
  private failures = 0;
  private reopenAtMs = 0;

  constructor(
    private readonly channel: Channel,
    options: Partial<ExecuteStreamOptions> = {},
  ) {
    this.options = { ...DEFAULTS, ...options };
    this.pacing = new FramePacing(this.options.frameHoldMs);
  }

  /** Never rejects: failures are results with a code. */
  execute(request: OperationRequest): Promise<Result> {
    return new Promise((resolve) => {
      if (this.isClosed) return resolve(failedResult('SHUTTING_DOWN', 'the stream is closed'));
      const bytes = request.command.byteLength + OPERATION_OVERHEAD_BYTES;
      if (
        this.pending.size >= this.options.pendingOperationsMax ||
        this.pendingBytes + bytes > this.options.pendingBytesMax
      ) {
        return resolve(failedResult('OVERLOADED', `too much is waiting for ${this.channel.address}`));
      }
      const operation = new PendingOperation(this, this.nextId++, request, bytes, resolve);
      this.pending.set(operation.id, operation);
      this.pendingBytes += bytes;
      this.queue.push(operation);
      this.wheel.add(operation, request.timeoutMs);
      this.scheduleFlush();
    });
  }

  /** Ends every operation that is not answered yet, and the stream. The channel stays. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const call = this.call;
    this.abandon('SHUTTING_DOWN', 'the stream was closed');
    call?.cancel();
    this.wheel.clear();
    clearTimeout(this.refillTimer);
  }

  /** @internal The operation's time is over. */
  expireOperation(operation: PendingOperation): void {
    if (operation.frame === undefined) {
      this.settle(operation, failedResult('TIMED_OUT', `not sent to ${this.channel.address} in time`));
    } else {
      this.settle(operation, failedResult('OUTCOME_UNKNOWN', `no answer from ${this.channel.address} in time`));
    }
  }

  /** @internal The frame no longer holds the next one back. */
  releaseFrame(frame: Frame): void {
    if (!frame.isInFlight) return;
    frame.isInFlight = false;
    if (frame.expiryTick !== 0) this.wheel.remove(frame);
    this.framesInFlight -= 1;
    if (this.queue.length > 0) this.scheduleFlush();
  }

  private settle(operation: PendingOperation, result: Result): void {
    this.forget(operation);
    operation.resolve(result);
  }

  /** It has its result, which its caller is still to be given. */
  private forget(operation: PendingOperation): void {
    this.pending.delete(operation.id);
    this.pendingBytes -= operation.bytes;
    if (operation.expiryTick !== 0) this.wheel.remove(operation);
    operation.isSettled = true;
    if (operation.frame !== undefined) {
      operation.frame.unanswered -= 1;
      if (operation.frame.unanswered === 0) this.releaseFrame(operation.frame);
    }
  }

  private scheduleFlush(): void {
    if (this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    setImmediate(() => {
      this.isFlushScheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.isClosed || this.isWriting || this.framesInFlight >= this.options.framesInFlightMax) return;
    if (this.call === undefined) return this.open();
    const nowMs = performance.now();
    const waitMs = this.hasFullFrame ? 0 : this.pacing.waitMs(this.queue.length, nowMs);
    if (waitMs > 0) return this.awaitRefill(waitMs);
    this.writeFrame(this.call, nowMs);
  }

  private writeFrame(call: ClientDuplexStream<ExecuteRequest, ExecuteResponse>, nowMs: number): void {
    clearTimeout(this.refillTimer);
    this.refillTimer = undefined;
    const operations = this.nextFrame();
    if (operations.length === 0) return;

    const frame = new Frame(this, operations.length, nowMs);
    for (const operation of operations) operation.frame = frame;
    this.framesInFlight += 1;
    this.wheel.add(frame, this.pacing.holdMs);
    this.isWriting = true;
    call.write({ operations: operations.map((operation) => operation.toMessage(nowMs)) }, () => {
      if (this.call !== call) return;
      this.isWriting = false;
      if (this.queue.length > 0) this.scheduleFlush();
    });
  }

  /** Whether more that comes would go into a further frame. What is not answered yet counts, too, so it may be said too early. */
  private get hasFullFrame(): boolean {
    const { frameOperationsMax, frameBytesMax } = this.options;
    return this.queue.length >= frameOperationsMax || this.pendingBytes >= frameBytesMax;
  }

  private awaitRefill(waitMs: number): void {
    this.refillTimer ??= setTimeout(() => {
      this.refillTimer = undefined;
      this.flush();
    }, waitMs);
  }

  private get nextFrameOperationsMax(): number {
    const { frameOperationsMax, overlapsWork } = this.options;
    if (!overlapsWork) return frameOperationsMax;
    const half = Math.ceil(Math.max(this.outstanding, this.pending.size) / 2);
    return Math.min(frameOperationsMax, Math.max(half, HALVED_OPERATIONS_MIN));
  }

  /** Takes from the queue what goes into one frame. */
  private nextFrame(): PendingOperation[] {
    const operations: PendingOperation[] = [];
    const operationsMax = this.nextFrameOperationsMax;
    let bytes = 0;
    let taken = 0;
    for (const operation of this.queue) {
      if (!operation.isSettled) {
        if (operations.length >= operationsMax) break;
        if (operations.length > 0 && bytes + operation.bytes > this.options.frameBytesMax) break;
        operations.push(operation);
        bytes += operation.bytes;
      }
      taken += 1;
    }
    this.queue = taken === this.queue.length ? [] : this.queue.slice(taken);
    return operations;
  }

  /**
   * Nothing is written before there is a connection: gRPC would take the frame and then fail it, and nobody could tell
   * whether it had been sent.
   */
  private open(): void {
    if (this.isConnecting || this.queue.length === 0) return;
    if (performance.now() < this.reopenAtMs) {
      return this.abandon('NODE_UNREACHABLE', `the stream to ${this.channel.address} keeps breaking`);
    }
    this.isConnecting = true;
    this.channel.whenConnected(this.options.connectTimeoutMs, (isConnected) => {
      this.isConnecting = false;
      if (this.isClosed) return;
      if (!isConnected) return this.abandon('NODE_UNREACHABLE', `no connection to ${this.channel.address}`);
      this.listen(this.channel.client(KeyValueClient).execute(this.metadata()));
      this.scheduleFlush();
    });
  }

  private listen(call: ClientDuplexStream<ExecuteRequest, ExecuteResponse>): void {
    this.call = call;
    call.on('data', (response: ExecuteResponse) => {
      if (this.call === call) this.receive(response);
    });
    // A failed call emits both; `status` also tells of one that the server ended in good order.
    call.on('error', () => undefined);
    call.on('status', ({ metadata, details }: StatusObject) => {
      if (this.call !== call) return;
      this.backOff();
      if (metadata.get(CODE_KEY)[0] === 'WRONG_CLUSTER') return this.refuse(details);
      this.abandon('NODE_UNREACHABLE', `the stream to ${this.channel.address} broke`);
    });
  }

  private receive({ results }: ExecuteResponse): void {
    this.failures = 0;
    this.outstanding = this.pending.size;
    const answered: [PendingOperation, Result][] = [];
    for (const result of results) {
      const operation = this.pending.get(result.id);
      if (operation?.frame === undefined) continue;
      const { frame } = operation;
      // Also one that has stopped holding the next one back: that frames take longer than expected is to be known.
      if (!frame.isAnswered) {
        frame.isAnswered = true;
        this.pacing.answered(frame.size, frame.writtenMs, performance.now());
      }
      this.releaseFrame(frame);
      this.forget(operation);
      answered.push([operation, result]);
    }
    const give = (): void => {
      for (const [operation, result] of answered) operation.resolve(result);
    };
    if (!this.options.overlapsWork) return give();
    this.flush();
    // The frame is in the socket before the next turn.
    if (this.isWriting) setImmediate(give);
    else give();
  }

  private backOff(): void {
    const { reopenDelayMs, reopenDelayMaxMs } = this.options;
    if (this.failures > 0) {
      const delayMs = Math.min(reopenDelayMaxMs, reopenDelayMs * 2 ** (this.failures - 1));
      this.reopenAtMs = performance.now() + delayMs * (0.5 + Math.random() / 2);
    }
    this.failures += 1;
  }

  private metadata(): Metadata {
    const metadata = new Metadata();
    if (this.options.clusterId !== undefined) metadata.set(CLUSTER_KEY, this.options.clusterId);
    return metadata;
  }

  /** The node has refused the stream before it has read any of it. */
  private refuse(detail: string): void {
    this.call = undefined;
    this.isWriting = false;
    this.queue = [];
    for (const operation of [...this.pending.values()]) this.settle(operation, failedResult('WRONG_CLUSTER', detail));
  }

  /** Ends everything that is pending: what was written as `unknown`, the rest with `code`. */
  private abandon(code: ErrorCode, detail: string): void {
    this.call = undefined;
    this.isWriting = false;
    this.queue = [];
    for (const operation of [...this.pending.values()]) {
      this.settle(operation, failedResult(operation.frame === undefined ? code : 'OUTCOME_UNKNOWN', detail));
    }
  }
}

class PendingOperation implements Expiring {
  expiryTick = 0;
  isSettled = false;
  /** The frame that it was written in; undefined while it is in the queue. */
  frame: Frame | undefined;
  private readonly deadlineMs: number;

  constructor(
    private readonly stream: ExecuteStream,
    readonly id: number,
    private readonly request: OperationRequest,
    readonly bytes: number,
    readonly resolve: (result: Result) => void,
  ) {
    this.deadlineMs = performance.now() + request.timeoutMs;
  }

  expire(): void {
    this.stream.expireOperation(this);
  }

  toMessage(nowMs: number): Operation {
    const { command, forward, consistency, requestId } = this.request;
    return {
      id: this.id,
      command,
      forward: forward ?? false,
      timeoutMs: Math.max(1, Math.floor(this.deadlineMs - nowMs)),
      consistency: consistency ?? Consistency.UNSPECIFIED,
      requestId,
    };
  }
}

class Frame implements Expiring {
  expiryTick = 0;
  isInFlight = true;
  isAnswered = false;

  unanswered: number;

  constructor(
    private readonly stream: ExecuteStream,
    readonly size: number,
    readonly writtenMs: number,
  ) {
    this.unanswered = size;
  }

  expire(): void {
    this.stream.releaseFrame(this);
  }
}
