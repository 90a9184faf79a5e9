import { readdir, rmdir, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promised, type DoneWith } from './completion.js';
import type { DiskFile, DiskLock } from './disk.js';
import { DiskError } from './errors.js';
import { NodeDisk } from './node-disk.js';
import { segmentNumber } from './segment.js';
import { WIPE_MARKER } from './wipe-marker.js';

export interface WipeSummary {
  /** How many files are gone. */
  readonly removedFiles: number;
  /** What lies in `log/` and `state/` and is not Ringraft's. */
  readonly kept: readonly string[];
}

const LEVELDB_FILE = /^(CURRENT|LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.(log|ldb|sst|dbtmp))$/;
const STATE_FILE = /^(pointer|pointer\.new)$/;
/** The states in `state/`, and the lock on them. */
const STATE_DIRECTORY = /^(db-\d+|lock)$/;

/** What the node notes beside log and state, about this incarnation of it. */
const NODE_FILE = /^quarantine\.json(\.new)?$/;

/**
 * Removes log and state of the node whose data directory this is, and nothing else: what is left starts as a new node, of another
 * incarnation. `DirectoryLockedError` while a node runs there, and nothing is changed then. All of it is durable on completion.
 *
 * When it fails or is cut off, a node can be started there as before, or not at all (`WipeUnfinishedError`) until the wipe was repeated
 * and ended. It needs a little space for its lock and its mark.
 */
export function wipeDirectory(directory: string, done: DoneWith<WipeSummary>): void {
  wipeInSteps(directory, () => undefined).then(
    (summary) => process.nextTick(() => done(undefined, summary)),
    (error: Error) => process.nextTick(() => done(error, undefined)),
  );
}

/** Calls `before` with each change that it is about to make. */
export async function wipeInSteps(directory: string, before: (step: string) => void): Promise<WipeSummary> {
  const dataDirectory = resolve(directory);
  const names = await namesIn(dataDirectory);
  const isOurs = (name: string): boolean => name === 'log' || name === 'state' || NODE_FILE.test(name);
  if (!names.some(isOurs)) return { removedFiles: 0, kept: [] };
  const disk = await promised<NodeDisk>((done) => NodeDisk.open(join(dataDirectory, 'log'), done));
  const lock = await promised<DiskLock>((done) => disk.lock(done));
  try {
    return await new Wipe(dataDirectory, disk, before).run();
  } finally {
    await promised((done) => lock.release(done));
  }
}

class Wipe {
  private removedFiles = 0;
  private readonly kept: string[] = [];

  constructor(
    private readonly dataDirectory: string,
    private readonly log: NodeDisk,
    private readonly before: (step: string) => void,
  ) {}

  async run(): Promise<WipeSummary> {
    const names = await promised<readonly string[]>((done) => this.log.list(done));
    // The mark is durable before anything goes, and goes when all else is durably gone: in between nobody takes what is left for a node.
    if (!names.includes(WIPE_MARKER)) await this.mark();
    await this.syncLog();
    // The state before the log: a state without its log looks like one that was just installed.
    await this.wipeState(join(this.dataDirectory, 'state'));
    await this.wipeNotes();
    await this.wipeLog(names);
    return { removedFiles: this.removedFiles, kept: this.kept };
  }

  private async mark(): Promise<void> {
    this.before(`create ${WIPE_MARKER}`);
    const file = await promised<DiskFile>((done) => this.log.create(WIPE_MARKER, 0, done));
    await promised((done) => file.close(done));
  }

  private async wipeState(directory: string): Promise<void> {
    const entries = await entriesOf(directory);
    if (entries === undefined) return;
    for (const entry of entries) {
      const path = join(directory, entry.name);
      if (entry.isDirectory() && STATE_DIRECTORY.test(entry.name)) await this.wipeDatabase(path);
      else if (entry.isFile() && (STATE_FILE.test(entry.name) || LEVELDB_FILE.test(entry.name)))
        await this.remove(path);
      else this.kept.push(path);
    }
    await this.sync(directory);
    await this.removeIfEmpty(directory);
  }

  private async wipeNotes(): Promise<void> {
    for (const name of await namesIn(this.dataDirectory)) {
      if (NODE_FILE.test(name)) await this.remove(join(this.dataDirectory, name));
    }
    await this.sync(this.dataDirectory);
  }

  private async wipeDatabase(directory: string): Promise<void> {
    for (const entry of (await entriesOf(directory)) ?? []) {
      const path = join(directory, entry.name);
      if (entry.isFile() && LEVELDB_FILE.test(entry.name)) await this.remove(path);
      else this.kept.push(path);
    }
    await this.sync(directory);
    await this.removeIfEmpty(directory);
  }

  /** Oldest first: what a crash leaves has a base above nothing, also for those who do not know the mark. */
  private async wipeLog(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (segmentNumber(name) !== undefined) await this.remove(join(this.log.name, name));
      else if (name !== WIPE_MARKER) this.kept.push(join(this.log.name, name));
    }
    await this.syncLog();
    await this.remove(join(this.log.name, WIPE_MARKER));
    this.removedFiles -= 1;
    await this.syncLog();
  }

  private async remove(path: string): Promise<void> {
    this.before(`remove ${path}`);
    await unlink(path).catch((error: Error) => {
      throw new DiskError('remove', path, error);
    });
    this.removedFiles += 1;
  }

  private async removeIfEmpty(directory: string): Promise<void> {
    if ((await namesIn(directory)).length > 0) return;
    this.before(`rmdir ${directory}`);
    await rmdir(directory).catch((error: Error) => {
      throw new DiskError('rmdir', directory, error);
    });
  }

  private async sync(directory: string): Promise<void> {
    const disk = await promised<NodeDisk>((done) => NodeDisk.open(directory, done));
    this.before(`sync ${directory}`);
    await promised((done) => disk.syncDirectory(done));
  }

  private async syncLog(): Promise<void> {
    this.before(`sync ${this.log.name}`);
    await promised((done) => this.log.syncDirectory(done));
  }
}

async function entriesOf(directory: string): Promise<Awaited<ReturnType<typeof readEntries>> | undefined> {
  try {
    return await readEntries(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DiskError('readdir', directory, error as Error);
  }
}

function readEntries(directory: string) {
  return readdir(directory, { withFileTypes: true });
}

async function namesIn(directory: string): Promise<string[]> {
  return ((await entriesOf(directory)) ?? []).map((entry) => entry.name);
}
