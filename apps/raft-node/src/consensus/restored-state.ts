import { RaftState, simpleConfiguration, type Entry, type LogIndex } from '@app/raft';
import { promised, type WriteAheadLog } from '@app/storage';
import { RaftNodeConfig } from '../raft-node.config.js';

/** Bytes of one read while the tail is loaded. */
const READ_BYTES_MAX = 4 * 1024 * 1024;

/**
 * The core's state as the disk has it: hard state and log from the write-ahead log, the applied index from the state
 * database, and in memory the entries that are not applied yet.
 */
export async function restoreState(
  config: RaftNodeConfig,
  log: WriteAheadLog,
  appliedIndex: LogIndex,
): Promise<RaftState> {
  if (appliedIndex < log.base.index || appliedIndex > log.lastIndex) {
    throw new Error(
      `the state database in ${config.dataDir} has applied entry ${appliedIndex}, but the log holds entries ` +
        `${log.base.index + 1} to ${log.lastIndex}: one of the two was removed or replaced. ` +
        'Restore both from the same copy, or replace this node by a new one',
    );
  }
  return new RaftState(config.nodeId, {
    hardState: log.hardState,
    log: {
      base: log.base,
      lastIndex: log.lastIndex,
      termRuns: log.termRuns,
      tail: await readFrom(log, appliedIndex + 1),
    },
    configurations: [{ index: 0, configuration: simpleConfiguration(config.peers.map((peer) => peer.nodeId)) }],
    appliedIndex,
  });
}

async function readFrom(log: WriteAheadLog, from: LogIndex): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let next = from; next <= log.lastIndex; next = entries.at(-1)!.index + 1) {
    const some = await promised<readonly Entry[]>((done) => log.read(next, log.lastIndex + 1, READ_BYTES_MAX, done));
    for (const entry of some) entries.push(entry);
  }
  return entries;
}
