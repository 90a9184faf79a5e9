/** A state and what it stands for, between the core's messages, the rows of libs/storage and the messages of raft.v1.Snapshots. */
import { createHash } from 'node:crypto';
import { decodeConfiguration, encodeConfiguration, type InstallSnapshot } from '@app/raft';
import { RingraftError, SnapshotHeader, type InstallSnapshotRequest, type SnapshotRange } from '@app/rpc';
import type { StateRange } from '@app/storage';

const LENGTHS_BYTES = 8;

/** `incarnation` is the sender's. */
export function headerOf(
  clusterId: string,
  incarnation: string,
  recipientIncarnation: string,
  message: InstallSnapshot,
): InstallSnapshotRequest {
  const { index, term, configuration } = message.snapshot;
  return {
    header: {
      clusterId,
      leaderId: message.from,
      recipientId: message.to,
      term: message.term,
      incarnation,
      lastIncludedIndex: index,
      lastIncludedTerm: term,
      configurationIndex: configuration.index,
      configuration: encodeConfiguration(configuration.configuration),
      recipientIncarnation,
    },
  };
}

/** Throws INVALID_REQUEST for what no leader sends. */
export function fromHeader(wire: SnapshotHeader): InstallSnapshot {
  const { term, lastIncludedIndex, lastIncludedTerm, configurationIndex } = wire;
  if (lastIncludedIndex < 1) throw malformed('a state of no entry');
  if (lastIncludedTerm < 1 || lastIncludedTerm > term) {
    throw malformed(`entry ${lastIncludedIndex} has the impossible term ${lastIncludedTerm}, the leader is of ${term}`);
  }
  if (configurationIndex > lastIncludedIndex) {
    throw malformed(`the configuration of entry ${configurationIndex} lies behind entry ${lastIncludedIndex}`);
  }
  const configuration = decodeConfiguration(wire.configuration);
  if (configuration === undefined || configuration.voters.length === 0) throw malformed('the configuration is none');
  return {
    type: 'InstallSnapshot',
    from: wire.leaderId,
    to: wire.recipientId,
    term,
    snapshot: {
      index: lastIncludedIndex,
      term: lastIncludedTerm,
      configuration: { index: configurationIndex, configuration },
    },
  };
}

/** Without its rows it only asks whether they are there. */
export function rangeRequest(sequence: number, range: StateRange, hasRows: boolean): InstallSnapshotRequest {
  return {
    range: {
      sequence,
      from: range.from,
      to: range.to ?? new Uint8Array(0),
      isLast: range.to === undefined,
      digest: range.digest,
      hasRows,
      rows: hasRows ? [...range.rows] : [],
    },
  };
}

export function endRequest(ranges: number, rows: number, digest: Uint8Array): InstallSnapshotRequest {
  return { end: { ranges, rows, digest } };
}

export function rangeOf(wire: SnapshotRange): StateRange {
  return { from: wire.from, to: wire.isLast ? undefined : wire.to, rows: wire.rows, digest: wire.digest };
}

/** The `digest` of a `StateRange` with these rows. */
export function digestOfRows(rows: StateRange['rows']): Uint8Array {
  const bytes = Buffer.allocUnsafe(bytesOfRows(rows));
  let at = 0;
  for (const { key, value } of rows) {
    at = bytes.writeUInt32LE(key.length, at);
    at = bytes.writeUInt32LE(value.length, at);
    bytes.set(key, at);
    bytes.set(value, at + key.length);
    at += key.length + value.length;
  }
  return createHash('sha256').update(bytes).digest();
}

/** Keys, values, and their lengths. */
export function bytesOfRows(rows: StateRange['rows']): number {
  return rows.reduce((sum, { key, value }) => sum + LENGTHS_BYTES + key.length + value.length, 0);
}

export function malformed(detail: string): RingraftError {
  return new RingraftError('INVALID_REQUEST', detail);
}
