import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { randomUUID } from 'node:crypto';
import { encodeConfiguration, simpleConfiguration } from '@app/raft';
import { promised } from '../completion.js';
import type { DiskFile } from '../disk.js';
import { StorageError } from '../errors.js';
import { NodeDisk } from '../node-disk.js';
import { keyAfter } from '../state/state-range.js';
import { StateStore } from '../state/state-store.js';
import { WIPE_MARKER } from '../wipe-marker.js';
import { beginLogBehind } from './log-behind-backup.js';
import { checkedBackup, type BackupSummary, verifyBackup } from './verify-backup.js';

export interface RestoreOptions {
  /** Of the node that will run there: `--data-dir`. Created if it is missing. */
  readonly dataDirectory: string;
  readonly clusterId: string;
  readonly nodeId: string;
  /** All voters of the new cluster with their addresses (host:port), this node among them; the same at each of its nodes. */
  readonly peers: Readonly<Record<string, string>>;
  /** The keys of one cluster belong to no other one's slots: only for a cluster that was given another name as a whole. */
  readonly allowOtherCluster?: boolean;
}

/** The restore was refused, and nothing was changed. */
export class RestoreRefusedError extends StorageError {
  readonly code = 'RESTORE_REFUSED';
}

/**
 * Writes the data directory of one node of a new cluster: the state of the backup, a log that begins behind it, and the new members as its
 * configuration. Sessions, log time and hashes come along.
 *
 * The backup is read twice: nothing is written before all of it is verified. `RestoreRefusedError`, `CorruptBackupError` and nothing is
 * changed. What fails or crashes later leaves a directory that no node starts in before `raft-node --wipe` has emptied it (the mark of
 * an unfinished wipe lies there until the state is whole and durable), and that can be restored into then.
 */
export async function restoreBackup(
  open: () => AsyncIterable<Uint8Array>,
  options: RestoreOptions,
): Promise<BackupSummary> {
  const { clusterId, nodeId, peers } = options;
  if (!Object.hasOwn(peers, nodeId)) {
    throw new RestoreRefusedError(
      `the node ${nodeId} is not among the members of the new cluster: ${Object.keys(peers).join(', ')}`,
    );
  }
  const configuration = encodeConfiguration({ ...simpleConfiguration(Object.keys(peers)), addresses: peers });
  const dataDirectory = resolve(options.dataDirectory);
  await requireVacant(dataDirectory);
  const summary = await verifyBackup(open());
  const { header } = summary;
  if (header.clusterId !== clusterId && options.allowOtherCluster !== true) {
    throw new RestoreRefusedError(
      `the backup is of cluster ${header.clusterId}, not of ${clusterId}: its keys belong to the slots of ${header.clusterId}, and in ` +
        `${clusterId} most of them would never be found`,
    );
  }
  const { index, term } = header;
  await mkdir(dataDirectory, { recursive: true });
  const logDisk = await promised<NodeDisk>((done) => NodeDisk.open(join(dataDirectory, 'log'), done));
  await mark(logDisk);
  await syncDirectory(dataDirectory);
  const store = await StateStore.open(join(dataDirectory, 'state'));
  try {
    const staged = await store.stage();
    let from: Uint8Array = new Uint8Array(0);
    let verified: BackupSummary | undefined;
    for await (const part of checkedBackup(open())) {
      if (part.kind === 'rows') {
        const to = keyAfter(part.rows.at(-1)!.key);
        await staged.put({ from, to, rows: part.rows, digest: new Uint8Array(0) });
        from = to;
      } else if (part.kind === 'end') {
        verified = { ...summary, rowCount: part.rowCount, bytes: part.bytes, sha256: part.sha256 };
      }
    }
    if (verified?.sha256 !== summary.sha256)
      throw new RestoreRefusedError('the backup was changed while it was restored');
    await store.install(staged, { index, term, configurationIndex: index, configuration });
  } finally {
    await store.close();
  }
  await syncDirectory(dataDirectory);
  await promised((done) => logDisk.remove(WIPE_MARKER, done));
  await promised((done) => logDisk.syncDirectory(done));
  // Until the log begins behind it, a start refuses what is there, or takes the whole state.
  await beginLogBehind(logDisk, { clusterId, nodeId, incarnation: randomUUID() }, { index, term });
  return summary;
}

async function mark(disk: NodeDisk): Promise<void> {
  const file = await promised<DiskFile>((done) => disk.create(WIPE_MARKER, 0, done));
  await promised((done) => file.close(done));
  await promised((done) => disk.syncDirectory(done));
}

async function syncDirectory(directory: string): Promise<void> {
  const disk = await promised<NodeDisk>((done) => NodeDisk.open(directory, done));
  await promised((done) => disk.syncDirectory(done));
}

/** What a wipe leaves (locks, empty directories) counts as nothing. */
async function requireVacant(dataDirectory: string): Promise<void> {
  const names = await namesIn(dataDirectory);
  const inLog = await namesIn(join(dataDirectory, 'log'));
  const inState = await namesIn(join(dataDirectory, 'state'));
  const foreign = [
    ...names.filter((name) => name !== 'log' && name !== 'state' && name !== 'lost+found'),
    ...inLog.filter((name) => name !== 'lock').map((name) => join('log', name)),
    ...inState.filter((name) => name !== 'lock').map((name) => join('state', name)),
  ];
  if (foreign.length === 0) return;
  throw new RestoreRefusedError(
    `${dataDirectory} is not empty (${foreign.slice(0, 3).join(', ')}): a backup is restored into a new directory. If nothing in it is ` +
      `needed, empty it with "raft-node --wipe --data-dir ${dataDirectory}"`,
  );
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
