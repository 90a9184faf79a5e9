import { dirname } from 'node:path';
import type { Done, DoneWith } from './completion.js';
import type { Disk, DiskFile } from './disk.js';
import { CorruptLogError, WipeUnfinishedError } from './errors.js';
import { LogScan, type LogIdentity } from './log-scan.js';
import { segmentName, segmentNumber } from './segment.js';
import { WIPE_MARKER } from './wipe-marker.js';

export interface RecoveredLog {
  readonly scan: LogScan;
  readonly cut: TornTail | undefined;
}

/** What was cut off the end of the log, because it looks like a write that a crash tore. */
export interface TornTail {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

/**
 * Reads the log that lies on the disk and leaves it ready for more, with everything that it found durable. Undefined when there is
 * none. Whatever happens is repeatable: a crash in here changes nothing about what the next run finds.
 */
export function recover(disk: Disk, identity: LogIdentity, done: DoneWith<RecoveredLog | undefined>): void {
  const scan = new LogScan(identity);
  const opened: DiskFile[] = [];
  const fail = (error: Error): void => {
    for (const file of opened) file.close(() => undefined);
    done(error, undefined);
  };
  disk.list((listError, names) => {
    if (listError) return fail(listError);
    if (names.includes(WIPE_MARKER)) return fail(new WipeUnfinishedError(dirname(disk.name)));
    const numbers = names.flatMap((name) => segmentNumber(name) ?? []).sort((one, other) => one - other);
    for (const [position, number] of numbers.entries()) {
      const before = numbers[position - 1];
      if (before !== undefined && number !== before + 1) {
        const missing = `${disk.name}/${segmentName(before + 1)}`;
        return fail(new CorruptLogError(missing, 0, `segment ${before + 1}`, 'the file is missing'));
      }
    }
    const next = (position: number): void => {
      const number = numbers[position];
      if (number === undefined) {
        return settle(disk, scan, (error, recovered) => (error ? fail(error) : done(undefined, recovered)));
      }
      loadFile(disk, segmentName(number), opened, (error, loaded) => {
        if (error) return fail(error);
        try {
          scan.add({ segment: number, ...loaded, isLast: position === numbers.length - 1 });
        } catch (scanError) {
          return fail(scanError as Error);
        }
        next(position + 1);
      });
    };
    next(0);
  });
}

function loadFile(
  disk: Disk,
  name: string,
  opened: DiskFile[],
  done: DoneWith<{ file: DiskFile; bytes: Uint8Array }>,
): void {
  disk.open(name, (openError, file) => {
    if (openError) return done(openError, undefined);
    opened.push(file);
    file.size((sizeError, sizeBytes) => {
      if (sizeError) return done(sizeError, undefined);
      file.read(0, sizeBytes, (error, bytes) => (error ? done(error, undefined) : done(undefined, { file, bytes })));
    });
  });
}

/** Removes what the crash left behind, and makes durable what is kept. */
function settle(disk: Disk, scan: LogScan, done: DoneWith<RecoveredLog | undefined>): void {
  const { stillborn, leftovers } = scan;
  const last = scan.segments.at(-1);
  const steps: ((done: Done) => void)[] = [];
  let cut: TornTail | undefined;
  if (stillborn) {
    steps.push((next) => stillborn.close(next));
    steps.push((next) => disk.remove(segmentName((last?.segment ?? 0) + 1), next));
  }
  if (last && scan.cut !== undefined) {
    const { offset, reason } = scan.cut;
    cut = { file: last.file.name, offset, bytes: last.fileBytes - offset, reason };
    last.fileBytes = offset;
    // Not overwritten with zeros: a crash in the middle of that could leave what looks like damage.
    steps.push((next) => last.file.truncate(offset, next));
  }
  if (last) {
    // A process that died between write and sync leaves records that are read back from memory, and after a failed sync even
    // a new sync need not write them. So what no later record proves to be durable is written once more.
    const { unprovenOffset } = scan;
    steps.push((next) =>
      last.file.read(unprovenOffset, last.endOffset - unprovenOffset, (error, bytes) => {
        if (error) return next(error);
        last.file.write(unprovenOffset, [bytes], next);
      }),
    );
    steps.push((next) => last.file.sync(next));
  }
  steps.push((next) => disk.syncDirectory(next));
  // Oldest first, each name durably gone before the next: a crash in here leaves no hole.
  for (const leftover of leftovers) {
    steps.push((next) => leftover.file.close(next));
    steps.push((next) => disk.remove(leftover.name, next));
    steps.push((next) => disk.syncDirectory(next));
  }
  inTurn(steps, (error) => {
    if (error) return done(error, undefined);
    done(undefined, last ? { scan, cut } : undefined);
  });
}

function inTurn(steps: readonly ((done: Done) => void)[], done: Done): void {
  const next = (position: number): void => {
    const step = steps[position];
    if (!step) return done(undefined);
    step((error) => (error ? done(error) : next(position + 1)));
  };
  next(0);
}
