import type { Log } from '../logging/log.js';

/** The parts of `process` that this file uses. */
export interface FallibleProcess {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
  exit(code: number): void;
}

/**
 * An exception that nobody caught, or a rejection that nobody handled, means that the process no longer knows its own
 * state: it is logged and the process exits with 1, at once.
 */
export function exitOnFatalErrors(log: Log, self: FallibleProcess = process): void {
  const exit =
    (event: string) =>
    (error: unknown): void => {
      log.fatal({ err: error instanceof Error ? error : new Error(String(error)), event }, 'fatal error');
      self.exit(1);
    };
  self.on('uncaughtException', exit('uncaughtException'));
  self.on('unhandledRejection', exit('unhandledRejection'));
}
