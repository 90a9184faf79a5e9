import { promised } from '../completion.js';
import type { Disk } from '../disk.js';
import type { LogIdentity } from '../log-scan.js';
import type { LogPosition } from '../record.js';
import { WriteAheadLog } from '../write-ahead-log.js';

/**
 * Begins a log behind a restored state. A log that finds no space waits for some; here nobody waits with it, so it ends with the disk's
 * error (`LogFailedError`, or `DiskError` if it could not even be created).
 */
export async function beginLogBehind(disk: Disk, identity: LogIdentity, base: LogPosition): Promise<void> {
  let end: (() => void) | undefined;
  const observer = {
    // Not at once: this is called from inside of the log.
    onFull: (isFull: boolean) => void (isFull && setImmediate(() => end?.())),
  };
  const log = await promised<WriteAheadLog>((done) => WriteAheadLog.open(disk, { ...identity, observer }, done));
  const closed = new Promise<void>((resolve, reject) => {
    end = () => {
      end = undefined;
      log.close((error) => (error ? reject(error) : resolve()));
    };
  });
  const hardState = { currentTerm: base.term, votedFor: undefined, commitIndex: 0 };
  try {
    await promised((done) => log.reset(base, hardState, done));
  } finally {
    end?.();
    await closed;
  }
}
