import { createLog } from '@app/platform';
import { RaftNodeConfig } from '../raft-node.config.js';
import { DiskPulse } from './disk-pulse.js';
import { FreeSpaceMonitor } from './free-space-monitor.js';
import { NodeCondition } from './node-condition.js';

const RESERVE = 1_000;

/** A monitor over a disk whose free space the test sets. */
class Watched {
  freeBytes = 10 * RESERVE;
  failure: Error | undefined;
  looks = 0;
  retries = 0;
  readonly condition = new NodeCondition();
  readonly pulse = new DiskPulse(() => 0);
  readonly logged: string[] = [];
  readonly wal = {
    isFull: false,
    retry: () => {
      this.retries += 1;
    },
  };
  readonly monitor: FreeSpaceMonitor;

  constructor() {
    const config = new RaftNodeConfig();
    config.dataDir = '/data/n1';
    config.diskReserveBytes = RESERVE;
    const log = createLog({
      level: 'info',
      fields: {},
      destination: { write: (line) => this.logged.push((JSON.parse(line) as { msg: string }).msg) },
    });
    this.monitor = new FreeSpaceMonitor(
      config,
      this.condition,
      this.pulse,
      this.wal,
      (dir) => this.freeSpace(dir),
      log,
    );
  }

  /** Half a second in which the disk has so many bytes free. */
  async see(freeBytes: number): Promise<string[]> {
    this.freeBytes = freeBytes;
    await jest.advanceTimersByTimeAsync(500);
    return (['storage_full', 'storage_exhausted'] as const).filter((trouble) => this.condition.has(trouble));
  }

  private freeSpace(directory: string): Promise<number> {
    if (directory !== '/data/n1') throw new Error(`looked at ${directory}`);
    this.looks += 1;
    return this.failure === undefined ? Promise.resolve(this.freeBytes) : Promise.reject(this.failure);
  }
}

describe('FreeSpaceMonitor', () => {
  let watched: Watched;

  beforeEach(() => {
    jest.useFakeTimers();
    watched = new Watched();
    watched.monitor.onApplicationBootstrap();
  });

  afterEach(() => {
    watched.monitor.onApplicationShutdown();
    jest.useRealTimers();
  });

  it('says that the disk is full below the reserve, and names directory, free and needed bytes', async () => {
    expect(await watched.see(RESERVE)).toEqual([]);
    expect(await watched.see(RESERVE - 1)).toEqual(['storage_full']);
    expect(watched.condition.detailOf('storage_full')).toBe(
      'the file system of /data/n1 has 999 bytes free, and 1000 are to stay free',
    );
    expect(watched.monitor.freeBytes).toBe(999);
  });

  it('keeps the detail up to date while the trouble lasts', async () => {
    await watched.see(900);
    await watched.see(800);
    expect(watched.condition.detailOf('storage_full')).toContain('has 800 bytes free');
  });

  it('takes what frees space until only a quarter of the reserve is left', async () => {
    expect(await watched.see(RESERVE / 4)).toEqual(['storage_full']);
    expect(await watched.see(RESERVE / 4 - 1)).toEqual(['storage_full', 'storage_exhausted']);
  });

  it('ends each trouble by itself, a little above where it began', async () => {
    await watched.see(0);
    expect(await watched.see(RESERVE / 4)).toEqual(['storage_full', 'storage_exhausted']);
    expect(await watched.see((RESERVE / 4) * 1.25)).toEqual(['storage_full']);
    expect(await watched.see(RESERVE)).toEqual(['storage_full']);
    expect(await watched.see(RESERVE * 1.25)).toEqual([]);
    expect(await watched.see(RESERVE)).toEqual([]);
  });

  it('logs when it begins and when it ends, not with every look', async () => {
    for (const freeBytes of [900, 800, 700, 2_000, 2_000, 500]) await watched.see(freeBytes);
    expect(watched.logged).toEqual([
      'the disk is full: no writes are taken',
      'the disk has room again',
      'the disk is full: no writes are taken',
    ]);
  });

  it('looks at once when a write finds no space, and believes the write rather than the file system', async () => {
    await watched.see(10 * RESERVE);
    watched.pulse.reportFull('log', true);
    await jest.advanceTimersByTimeAsync(0);
    expect(watched.condition.has('storage_exhausted')).toBe(true);
    expect(watched.condition.detailOf('storage_full')).toContain('a write found no space and waits for it');
    watched.pulse.reportFull('log', false);
    await jest.advanceTimersByTimeAsync(0);
    expect(watched.condition.has('storage_full')).toBe(false);
  });

  it('believes the state database as well, and waits for both', async () => {
    watched.pulse.reportFull('log', true);
    watched.pulse.reportFull('state', true);
    watched.pulse.reportFull('log', false);
    expect(await watched.see(10 * RESERVE)).toEqual(['storage_full', 'storage_exhausted']);
    watched.pulse.reportFull('state', false);
    expect(await watched.see(10 * RESERVE)).toEqual([]);
  });

  it('lets a log that waits for space try again while there is any, and leaves one alone that does not wait', async () => {
    await watched.see(RESERVE);
    expect(watched.retries).toBe(0);
    watched.wal.isFull = true;
    await watched.see(0);
    expect(watched.retries).toBe(0);
    await watched.see(1);
    expect(watched.retries).toBe(1);
  });

  it('goes on as before while the free space is not known, and says so once', async () => {
    await watched.see(900);
    watched.failure = new Error('EIO');
    expect(await watched.see(0)).toEqual(['storage_full']);
    expect(await watched.see(0)).toEqual(['storage_full']);
    expect(watched.logged.filter((line) => line === 'the free space of the disk is not known')).toHaveLength(1);
    watched.failure = undefined;
    expect(await watched.see(2_000)).toEqual([]);
  });

  it('looks twice a second, and no more once it has stopped', async () => {
    await jest.advanceTimersByTimeAsync(5_000);
    expect(watched.looks).toBe(11);
    watched.monitor.onApplicationShutdown();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(watched.looks).toBe(11);
  });
});
