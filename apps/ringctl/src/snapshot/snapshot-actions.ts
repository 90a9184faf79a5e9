import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupClient, fromServiceError, type Channel, type SaveResponse } from '@app/rpc';
import { StorageError, restoreBackup, verifyBackup, type BackupSummary } from '@app/storage';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { EXIT } from '../exit-code.js';
import { chunksOf, writeBackupFile } from './backup-file.js';

/** A line of progress for so many bytes. */
const PROGRESS_BYTES = 64 * 1024 * 1024;

export interface SaveFlags {
  readonly all?: string;
  readonly force: boolean;
}

export interface RestoreFlags {
  readonly dataDir: string;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly peers: Readonly<Record<string, string>>;
  readonly allowOtherCluster: boolean;
}

export function saveSnapshot(
  context: CommandContext,
  cluster: string | undefined,
  file: string | undefined,
  flags: SaveFlags,
): Promise<void> {
  return explained(() => save(context, cluster, file, flags));
}

export function showSnapshot(context: CommandContext, file: string): Promise<void> {
  return explained(async () => show(context, file, await verifyBackup(chunksOf(file))));
}

export function restoreSnapshot(context: CommandContext, file: string, flags: RestoreFlags): Promise<void> {
  return explained(() => restore(context, file, flags));
}

async function save(
  context: CommandContext,
  cluster: string | undefined,
  file: string | undefined,
  { all, force }: SaveFlags,
): Promise<void> {
  if (all === undefined) {
    if (cluster === undefined || file === undefined) {
      throw new CommandFailure(EXIT.USAGE, 'say which cluster to save, and to which file', {
        hint: 'or save all with --all DIR',
      });
    }
    show(context, file, await saveCluster(context, cluster, file, force));
    return;
  }
  if (cluster !== undefined) throw new CommandFailure(EXIT.USAGE, '--all takes no cluster');
  await mkdir(all, { recursive: true });
  const { clusters } = await context.system();
  const saved: object[] = [];
  for (const { id } of clusters) {
    const path = join(all, `${id}.backup`);
    const summary = await saveCluster(context, id, path, force);
    if (context.isJson) saved.push(facts(path, summary));
    else show(context, path, summary);
  }
  if (context.isJson) context.printJson(saved);
}

async function saveCluster(
  context: CommandContext,
  cluster: string,
  path: string,
  isForced: boolean,
): Promise<BackupSummary> {
  const { timeoutMs, io } = context;
  const nodes = await context.nodes();
  let bytes = 0;
  return nodes.onLeader(cluster, { timeoutMs, interrupted: io.interrupted }, (channel) =>
    writeBackupFile(path, savedBy(channel, io.interrupted), isForced, (more) => {
      const before = Math.floor(bytes / PROGRESS_BYTES);
      bytes += more;
      if (Math.floor(bytes / PROGRESS_BYTES) > before) context.note(`${cluster}: ${Math.floor(bytes / 2 ** 20)} MiB`);
    }),
  );
}

/** What the leader sends, no faster than it is taken. Throws a `RingraftError`. */
async function* savedBy(channel: Channel, interrupted: AbortSignal): AsyncGenerator<Uint8Array> {
  const call: ClientReadableStream<SaveResponse> = channel.client(BackupClient).save({});
  const cancel = (): void => call.cancel();
  interrupted.addEventListener('abort', cancel);
  try {
    for await (const response of call) yield (response as SaveResponse).data;
  } catch (error) {
    if (interrupted.aborted) throw new CommandFailure(EXIT.INTERRUPTED, 'interrupted: no file was written');
    throw fromServiceError(error as ServiceError);
  } finally {
    interrupted.removeEventListener('abort', cancel);
    call.cancel();
  }
}

async function restore(context: CommandContext, file: string, flags: RestoreFlags): Promise<void> {
  const { dataDir, clusterId, nodeId, peers, allowOtherCluster } = flags;
  const options = { dataDirectory: dataDir, clusterId, nodeId, peers, allowOtherCluster };
  const summary = await restoreBackup(() => chunksOf(file), options);
  show(context, file, summary);
  context.note(`restored into ${dataDir}: start ${nodeId} there, once all members are restored from this same file`);
}

function show(context: CommandContext, file: string, summary: BackupSummary): void {
  const values = facts(file, summary);
  if (context.isJson) context.printJson(values);
  else for (const [name, value] of Object.entries(values)) context.print(`${name.padEnd(13)} ${String(value)}`);
}

function facts(
  file: string,
  { header, rowCount, bytes, sha256 }: BackupSummary,
): Record<string, string | number | boolean> {
  return {
    file,
    valid: true,
    cluster: header.clusterId,
    revision: String(header.revision),
    index: header.index,
    term: header.term,
    rows: rowCount,
    bytes,
    created_at: new Date(header.createdAtMs).toISOString(),
    members: header.members.join(','),
    content_hash: header.contentHash,
    history_hash: header.historyHash,
    sha256,
    version: header.version,
  };
}

/** What is wrong with a file or a directory, as a failure to report. */
async function explained(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof StorageError) throw new CommandFailure(EXIT.FAILED, error.message, { cause: error });
    throw error;
  }
}
