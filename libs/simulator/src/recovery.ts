import { decodeConfiguration, RaftState, type ConfigurationAt, type Entry, type NodeId } from '@app/raft';
import { WriteAheadLog, type DoneWith } from '@app/storage';
import type { DurableKeySpace } from './durable-key-space.js';
import { SimulationFailure } from './observer.js';
import type { SimulatedDisk } from './simulated-disk.js';

/** Small, so that a run of a few thousand entries rotates, removes and begins anew. */
const SEGMENT_BYTES_MAX = 8 * 1024;
const PREALLOCATE_BYTES = 2 * 1024;
const READ_BYTES_MAX = 64 * 1024;

export interface Recovered {
  readonly log: WriteAheadLog;
  readonly state: RaftState;
}

interface Directory {
  readonly id: NodeId;
  readonly incarnation: string;
  readonly disk: SimulatedDisk;
  readonly keySpace: DurableKeySpace;
}

/**
 * Reads what the disk of a node holds, as the real node does when it starts. Throws a `SimulationFailure` when something is missing. `opened`
 * is given the log before anything is written to it: on a full disk that waits until somebody calls its `retry`.
 */
export function recover(directory: Directory, opened: (log: WriteAheadLog) => void, done: DoneWith<Recovered>): void {
  const { id, incarnation, disk, keySpace } = directory;
  const options = {
    clusterId: 'simulated',
    nodeId: id,
    incarnation,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    preallocateBytes: PREALLOCATE_BYTES,
  };
  WriteAheadLog.open(disk.files, options, (openError, log) => {
    if (openError) return done(openError, undefined);
    opened(log);
    const finish = (): void => {
      const applied = keySpace.appliedIndex;
      if (log.base.index > applied || log.lastIndex < applied) {
        throw new SimulationFailure(
          'recovery',
          `${id} has applied ${applied}, and its log holds ${log.base.index + 1} to ${log.lastIndex}`,
        );
      }
      readTail(log, applied + 1, [], (error, tail) => {
        if (error) return done(error, undefined);
        done(undefined, { log, state: stateOf(id, log, keySpace, tail) });
      });
    };
    const { index, term, isInstalled } = keySpace.image();
    // The process ended after it had installed a snapshot and before its log had begun anew.
    if (isInstalled && log.termAt(index) !== term) {
      log.reset({ index, term }, undefined, (error) => (error ? done(error, undefined) : finish()));
    } else {
      finish();
    }
  });
}

function readTail(log: WriteAheadLog, from: number, tail: Entry[], done: DoneWith<readonly Entry[]>): void {
  if (from > log.lastIndex) return done(undefined, tail);
  log.read(from, log.lastIndex + 1, READ_BYTES_MAX, (error, entries) => {
    if (error) return done(error, undefined);
    tail.push(...entries);
    readTail(log, tail.at(-1)!.index + 1, tail, done);
  });
}

function stateOf(id: NodeId, log: WriteAheadLog, keySpace: DurableKeySpace, tail: readonly Entry[]): RaftState {
  const { index, configuration } = keySpace.image();
  const configurations: ConfigurationAt[] = [configuration];
  for (const entry of log.configurationEntries) {
    if (entry.index > index)
      configurations.push({ index: entry.index, configuration: decodeConfiguration(entry.data)! });
  }
  return new RaftState(id, {
    hardState: log.hardState,
    log: { base: log.base, lastIndex: log.lastIndex, termRuns: log.termRuns, tail },
    configurations,
    appliedIndex: index,
  });
}
