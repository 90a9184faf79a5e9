import type { Log } from '../logging/log.js';

/** The parts of `process` that this file uses. */
export interface SignalledProcess {
  on(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

/**
 * On the first SIGTERM or SIGINT closes the app once, with all of Nest's shutdown hooks in order, and exits: with 0
 * when it has closed, with 1 when closing failed or took longer than `timeoutMs`. A second signal exits at once, with
 * 128 + its number, as a shell expects.
 */
export function stopOnSignals(
  app: { close(signal?: string): Promise<void> },
  log: Log,
  timeoutMs: number,
  self: SignalledProcess = process,
): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) {
      log.warn({ signal }, 'second signal: exiting at once');
      self.exit(signal === 'SIGINT' ? 130 : 143);
      return;
    }
    isStopping = true;
    log.info({ signal }, 'stopping');
    const deadline = setTimeout(() => {
      log.error({ timeoutMs }, 'could not stop in time');
      self.exit(1);
    }, timeoutMs);
    void app.close(signal).then(
      () => {
        clearTimeout(deadline);
        log.info('stopped');
        self.exit(0);
      },
      (err: unknown) => {
        clearTimeout(deadline);
        log.error({ err }, 'failed to stop');
        self.exit(1);
      },
    );
  };
  self.on('SIGTERM', stop);
  self.on('SIGINT', stop);
}
