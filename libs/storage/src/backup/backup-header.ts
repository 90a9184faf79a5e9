/** What a backup says of itself, before its rows. */
export interface BackupHeader {
  readonly clusterId: string;
  /** The entry that the state ends with, and its term. */
  readonly index: number;
  readonly term: number;
  readonly revision: number;
  readonly logTimeMs: number;
  /** 16 hexadecimal digits each, as the state machine recorded them. */
  readonly contentHash: string;
  readonly historyHash: string;
  /** Who was in the cluster, for people: a restored cluster has members of its own. */
  readonly members: readonly string[];
  /** Of Ringraft, at the writer. */
  readonly version: string;
  /** Milliseconds since 1970, by the clock of the writer. */
  readonly createdAtMs: number;
}

const HASH = /^[0-9a-f]{16}$/;

export function encodeBackupHeader(header: BackupHeader): Uint8Array {
  return Buffer.from(JSON.stringify(header), 'utf8');
}

/** Undefined for what no writer writes. */
export function decodeBackupHeader(bytes: Uint8Array): BackupHeader | undefined {
  try {
    const header = JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
    return isHeader(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): value is BackupHeader {
  if (typeof value !== 'object' || value === null) return false;
  const header = value as Partial<Record<keyof BackupHeader, unknown>>;
  const { clusterId, index, term, revision, logTimeMs, contentHash, historyHash, members, version, createdAtMs } =
    header;
  return (
    isText(clusterId) &&
    isText(version) &&
    [index, term].every((number) => isCount(number) && number > 0) &&
    [revision, logTimeMs, createdAtMs].every(isCount) &&
    [contentHash, historyHash].every((hash) => typeof hash === 'string' && HASH.test(hash)) &&
    Array.isArray(members) &&
    members.every(isText)
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
