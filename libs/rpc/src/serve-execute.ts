import type { ServerDuplexStream } from '@grpc/grpc-js';
import { failedResult } from './execute-result.js';
import type { ExecuteRequest, ExecuteResponse, Operation, Result } from './gen/kv.js';

export interface ServeExecuteOptions {
  /** The stream is not read further while this many operations are without a result; a frame that is in is served. */
  readonly pendingOperationsMax: number;
  /** A response frame is closed at this many bytes; a larger answer travels alone. */
  readonly frameBytesMax: number;
}

const DEFAULTS: ServeExecuteOptions = { pendingOperationsMax: 4_096, frameBytesMax: 4 * 1024 * 1024 };

export interface ExecuteHandler {
  /** Called once for each operation, in order of arrival. */
  handle(operation: Operation, respond: Respond): void;
  /** `handle` threw; the operation was answered with INTERNAL. */
  failed(error: unknown): void;
}

/** What a result costs in a frame beside its answer, roughly. */
const RESULT_OVERHEAD_BYTES = 32;

/** Ends an operation. Only the first call counts; without effect once the stream is gone. Sets the id itself. */
export type Respond = (result: Result) => void;

/**
 * Serves one Execute stream and sends the results of one turn of the event loop in one frame. Reading stops while too
 * much is pending or the caller does not take its results.
 */
export function serveExecute(
  call: ServerDuplexStream<ExecuteRequest, ExecuteResponse>,
  handler: ExecuteHandler,
  options: Partial<ServeExecuteOptions> = {},
): void {
  const { pendingOperationsMax, frameBytesMax } = { ...DEFAULTS, ...options };
  let pendingOperations = 0;
  let results: Result[] = [];
  let isOpen = true;
  let hasCallerEnded = false;
  let isFlushScheduled = false;
  let isWriterFull = false;

  const adjustReading = () => {
    const isBusy = isWriterFull || pendingOperations >= pendingOperationsMax;
    if (isBusy !== call.isPaused()) {
      if (isBusy) call.pause();
      else call.resume();
    }
  };

  const flush = () => {
    isFlushScheduled = false;
    if (!isOpen) return;
    let first = 0;
    while (first < results.length && !isWriterFull) {
      const end = endOfFrame(results, first, frameBytesMax);
      isWriterFull = !call.write({ results: results.slice(first, end) });
      first = end;
    }
    results = results.slice(first);
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
      result.id = operation.id;
      results.push(result);
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
  call.on('drain', () => {
    isWriterFull = false;
    flush();
  });
  call.on('end', () => {
    hasCallerEnded = true;
    scheduleFlush();
  });
  call.on('cancelled', close);
  call.on('error', close);
}

function endOfFrame(results: readonly Result[], first: number, frameBytesMax: number): number {
  let bytes = 0;
  let end = first;
  for (; end < results.length; end += 1) {
    bytes += (results[end]?.answer.length ?? 0) + RESULT_OVERHEAD_BYTES;
    if (end > first && bytes > frameBytesMax) break;
  }
  return end;
}
