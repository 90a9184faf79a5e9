import { LogFailedError } from '../errors.js';
import { MemoryDisk } from '../memory-disk.js';
import { identity } from '../testing/open-log.js';
import { mustOpen } from '../testing/sync-log.js';
import { beginLogBehind } from './log-behind-backup.js';

const BASE = { index: 40, term: 6 };

/** The error that it ended with, if it did. */
const ended = (disk: MemoryDisk) =>
  beginLogBehind(disk, identity, BASE).then(
    () => undefined,
    (error: unknown) => error as Error,
  );

async function bytesNeeded(): Promise<number> {
  const disk = new MemoryDisk();
  let highest = 0;
  const watched = new Proxy(disk, {
    get: (target, name) => {
      highest = Math.max(highest, target.usedBytes);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  await beginLogBehind(watched, identity, BASE);
  return Math.max(highest, disk.usedBytes);
}

describe('the log behind a restored state', () => {
  it('begins behind it', async () => {
    const disk = new MemoryDisk();
    expect(await ended(disk)).toBeUndefined();
    const log = mustOpen(disk);
    expect([log.base, log.hardState.currentTerm, log.hardState.commitIndex]).toEqual([BASE, 6, 40]);
  });

  it('ends with the error of a disk that is full, wherever it finds no space', async () => {
    const needed = await bytesNeeded();
    expect(needed).toBeGreaterThan(0);
    const errors: (Error | undefined)[] = [];
    for (const share of [0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1]) {
      const disk = new MemoryDisk();
      disk.capacityBytes = Math.floor(share * needed);
      errors.push(await ended(disk));
    }
    expect(errors.pop()).toBeUndefined();
    for (const error of errors)
      expect((error?.cause instanceof Error ? error.cause : error)?.message).toContain('ENOSPC');
    expect(errors.some((error) => error instanceof LogFailedError)).toBe(true);
  });
});
