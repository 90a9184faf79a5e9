import type { ServerDuplexStream } from '@grpc/grpc-js';
import { failedResult } from './execute-result.js';
import type { ExecuteRequest, ExecuteResponse, Operation, Result } from './gen/kv.js';

export interface ServeExecuteOptions {
  /** The stream is not read further while this many operations are without a result; a frame that is in is served. */
  readonly pendingOperationsMax: number;
  /** A response frame is closed at this many bytes; a larger answer travels alone. */
  readonly frameBytesMax: number;
  /** While the caller has not taken as many bytes of results, no further frame is made. */
  readonly untakenBytesMax: number;
}

const DEFAULTS: ServeExecuteOptions = {
  pendingOperationsMax: 4_096,
  frameBytesMax: 4 * 1024 * 1024,
  untakenBytesMax: 8 * 1024 * 1024,
};

export interface ExecuteHandler {
  /** Called once for each operation, in order of arrival. */
  handle(operation: Operation, respond: Respond): void;
  /** `handle`, or what makes a result, threw; the operation was answered with INTERNAL. */
  failed(error: unknown): void;
}

/** What a result costs in a frame beside its answer, roughly. */
const RESULT_OVERHEAD_BYTES = 32;

/** A result, or what makes it when there is room for it: a small request for a large answer does not fill the memory. */
export type EventualResult = Result | (() => Result);

/** Ends an operation. Only the first call counts; without effect once the stream is gone. Sets the id itself. */
export type Respond = (result: EventualResult) => void;

/**
 * Serves one Execute stream and sends the results of one turn of the event loop in one frame. Reading stops while too
 * much is pending or the caller does not take its results.
 */
export function serveExecute(
  call: ServerDuplexStream<ExecuteRequest, ExecuteResponse>,
  handler: ExecuteHandler,
  options: Partial<ServeExecuteOptions> = {},
): void {
  const { pendingOperationsMax, frameBytesMax, untakenBytesMax } = { ...DEFAULTS, ...options };
  let pendingOperations = 0;
  let results: { readonly id: number; result: EventualResult }[] = [];
  let untakenBytes = 0;
  let isOpen = true;
  let hasCallerEnded = false;
  let isFlushScheduled = false;

  const adjustReading = () => {
    const isBusy = untakenBytes >= untakenBytesMax || pendingOperations >= pendingOperationsMax;
    if (isBusy !== call.isPaused()) {
      if (isBusy) call.pause();
      else call.resume();
    }
  };

  const make = (answered: { readonly id: number; result: EventualResult }): Result => {
    let { result } = answered;
    if (typeof result === 'function') {
      try {
        result = result();
      } catch (error) {
        result = failedResult('INTERNAL', 'unexpected error');
        handler.failed(error);
      }
      answered.result = result;
    }
    result.id = answered.id;
    return result;
  };

  /** Returns where the next frame begins. */
  const sendFrame = (first: number): number => {
    const frame: Result[] = [];
    let bytes = 0;
    for (let at = first; at < results.length; at += 1) {
      const result = make(results[at]!);
      const resultBytes = result.answer.length + RESULT_OVERHEAD_BYTES;
      if (frame.length > 0 && bytes + resultBytes > frameBytesMax) break;
      frame.push(result);
      bytes += resultBytes;
    }
    untakenBytes += bytes;
    call.write({ results: frame }, () => {
      untakenBytes -= bytes;
      if (results.length > 0 || call.isPaused()) scheduleFlush();
    });
    return first + frame.length;
  };

  const flush = () => {
    isFlushScheduled = false;
    if (!isOpen) return;
    let first = 0;
    while (first < results.length && untakenBytes < untakenBytesMax) first = sendFrame(first);
    if (first > 0) results = results.slice(first);
    adjustReading();
    if (hasCallerEnded && pendingOperations === 0 && results.length === 0) call.end();
  };

  const scheduleFlush = () => {
    if (isFlushScheduled) return;
    isFlushScheduled = true;
    setImmediate(flush);
  };

  const start = (operation: Operation) => {
    let hasResult = false;
    const respond: Respond = (result) => {
      if (hasResult) return;
      hasResult = true;
      pendingOperations -= 1;
      if (!isOpen) return;
      results.push({ id: operation.id, result });
      scheduleFlush();
    };
    pendingOperations += 1;
    try {
      handler.handle(operation, respond);
    } catch (error) {
      respond(failedResult('INTERNAL', 'unexpected error'));
      handler.failed(error);
    }
  };

  const close = () => {
    isOpen = false;
    results = [];
  };

  call.on('data', (request: ExecuteRequest) => {
    for (const operation of request.operations) start(operation);
    adjustReading();
  });
  call.on('end', () => {
    hasCallerEnded = true;
    scheduleFlush();
  });
  call.on('cancelled', close);
  call.on('error', close);
}
