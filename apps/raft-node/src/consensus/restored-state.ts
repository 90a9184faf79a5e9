import {
  RaftState,
  decodeConfiguration,
  emptyConfiguration,
  simpleConfiguration,
  type Configuration,
  type ConfigurationAt,
  type Entry,
  type LogIndex,
} from '@app/raft';
import { promised, remedyFor, type StateDescription, type StateStore, type WriteAheadLog } from '@app/storage';
import { RaftNodeConfig } from '../raft-node.config.js';

/** Bytes of one read while the tail is loaded. */
const READ_BYTES_MAX = 4 * 1024 * 1024;

/** How often a start looks whether there is space again. */
const FULL_RETRY_MS = 500;

/** What the start needs to know of the state database. */
type RestoredStore = Pick<StateStore, 'appliedIndex' | 'description' | 'isInstalled'>;

/**
 * The core's state as the disk has it: hard state and log from the write-ahead log; the applied index, and the configuration in force there,
 * from the state database; and in memory the entries that are not applied yet.
 *
 * A state that came as a snapshot, and that the log has not caught up with, is the trace of a crash in between: the log begins anew behind
 * it. Any other disagreement between the two means that one was removed, exchanged or put back from an older copy, and stops the start.
 */
export async function restoreState(
  config: RaftNodeConfig,
  log: WriteAheadLog,
  store: RestoredStore,
): Promise<RaftState> {
  const { appliedIndex, description } = store;
  if (description !== undefined) await alignLog(config, log, description, store.isInstalled);
  if (appliedIndex < log.base.index || appliedIndex > log.lastIndex) throw disagreement(config, log, appliedIndex);
  return new RaftState(config.nodeId, {
    hardState: log.hardState,
    log: {
      base: log.base,
      lastIndex: log.lastIndex,
      termRuns: log.termRuns,
      tail: await readFrom(log, appliedIndex + 1),
    },
    configurations: configurationsOf(config, log, description),
    appliedIndex,
  });
}

async function alignLog(
  config: RaftNodeConfig,
  log: WriteAheadLog,
  { index, term }: StateDescription,
  isInstalled: boolean,
): Promise<void> {
  if (log.termAt(index) === term) return;
  const isAheadOfLog = isInstalled && index > log.hardState.commitIndex && index > log.base.index;
  if (!isAheadOfLog) throw disagreement(config, log, index);
  // On a full disk it waits, and the monitors that would tell the log of new space do not run yet.
  const retries = setInterval(() => log.retry(), FULL_RETRY_MS);
  try {
    await promised((done) => log.reset({ index, term }, undefined, done));
  } finally {
    clearInterval(retries);
  }
}

/** The one that was in force at the applied index, and those of all later entries. */
function configurationsOf(
  config: RaftNodeConfig,
  log: WriteAheadLog,
  description: StateDescription | undefined,
): ConfigurationAt[] {
  const first =
    description === undefined
      ? { index: 0, configuration: firstConfiguration(config) }
      : {
          index: description.configurationIndex,
          configuration: decoded(config, description.configuration, `the state at ${description.index}`),
        };
  const later = log.configurationEntries
    .filter(({ index }) => index > (description?.index ?? 0))
    .map(({ index, data }) => ({ index, configuration: decoded(config, data, `entry ${index} of the log`) }));
  return [first, ...later];
}

function firstConfiguration({ join, peers }: RaftNodeConfig): Configuration {
  return join ? emptyConfiguration : simpleConfiguration(peers.map((peer) => peer.nodeId));
}

function decoded({ dataDir }: RaftNodeConfig, bytes: Uint8Array, where: string): Configuration {
  const configuration = decodeConfiguration(bytes);
  if (configuration !== undefined) return configuration;
  throw new Error(`the configuration of the cluster in ${where} cannot be read. ${remedyFor(dataDir)}`);
}

function disagreement({ dataDir }: RaftNodeConfig, log: WriteAheadLog, appliedIndex: LogIndex): Error {
  const { base, lastIndex } = log;
  const holds = lastIndex === base.index ? `none behind ${base.index}` : `${base.index + 1} to ${lastIndex}`;
  return new Error(
    `the state in ${dataDir} is that of entry ${appliedIndex}, and the log beside it, which holds entries ${holds}, is not the log of ` +
      `that state: one of the two was removed, exchanged or put back from an older copy. ${remedyFor(dataDir)}`,
  );
}

async function readFrom(log: WriteAheadLog, from: LogIndex): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let next = from; next <= log.lastIndex; next = entries.at(-1)!.index + 1) {
    const some = await promised<readonly Entry[]>((done) => log.read(next, log.lastIndex + 1, READ_BYTES_MAX, done));
    for (const entry of some) entries.push(entry);
  }
  return entries;
}
