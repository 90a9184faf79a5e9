import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { LOG, type Log } from '@app/platform';
import { NodeDisk, StateStore, WriteAheadLog, promised, type Disk, type StateStoreOptions } from '@app/storage';
import { ConditionModule } from '../condition/condition.module.js';
import { DiskPulse } from '../condition/disk-pulse.js';
import { FATAL, type FatalHandler } from '../fatal.js';
import { NODE_OPTIONS, type NodeOptions } from '../node-options.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { StateEvents } from './state-events.js';

/** The rows of the state machine. */
export const KEY_SPACE = Symbol('KeySpace');

/** The random name of this node's data directory. */
export const INCARNATION = Symbol('Incarnation');

const DISK = Symbol('Disk');

async function openDisk(config: RaftNodeConfig, { wrapDisk }: NodeOptions): Promise<Disk> {
  // Whoever wraps it wants to see, and to fail, a sync as a call of its own.
  const options = wrapDisk && { syncsWrites: false };
  const disk = await promised<NodeDisk>((done) => NodeDisk.open(join(config.dataDir, 'log'), done, options));
  return wrapDisk?.(disk) ?? disk;
}

async function openLog(config: RaftNodeConfig, log: Log, disk: Disk, pulse: DiskPulse): Promise<WriteAheadLog> {
  const wal = await promised<WriteAheadLog>((done) =>
    WriteAheadLog.open(
      disk,
      {
        clusterId: config.clusterId,
        nodeId: config.nodeId,
        incarnation: randomUUID(),
        segmentBytesMax: config.segmentBytesMax,
        observer: {
          onWriteStart: () => pulse.writeStarted(),
          onWriteEnd: (isDurable) => {
            if (isDurable) pulse.writeEnded();
            else pulse.writeAbandoned();
          },
          onFull: (isFull) => pulse.reportFull('log', isFull),
        },
      },
      done,
    ),
  );
  const { cut, ...recovery } = wal.recovery;
  const found = {
    ...recovery,
    incarnation: wal.incarnation,
    lastIndex: wal.lastIndex,
    term: wal.hardState.currentTerm,
  };
  log.info(found, 'log opened');
  if (cut !== undefined) log.warn(cut, 'the end of the log was torn, and has been cut off');
  return wal;
}

function openState(
  config: RaftNodeConfig,
  { stateOptions }: NodeOptions,
  fatal: FatalHandler,
  pulse: DiskPulse,
  events: StateEvents,
): Promise<StateStore> {
  const options: StateStoreOptions = {
    ...stateOptions,
    onFailure: fatal,
    onSynced: (appliedIndex) => events.synced(appliedIndex),
    onFull: (isFull) => pulse.reportFull('state', isFull),
  };
  return StateStore.open(join(config.dataDir, 'state'), options);
}

/**
 * What this node keeps on its disk: the Raft log, and the rows of the state machine. The log is opened first: it holds the lock on the
 * directory, so that no second process touches the state.
 */
@Module({
  imports: [ConditionModule],
  providers: [
    StateEvents,
    { provide: DISK, inject: [RaftNodeConfig, NODE_OPTIONS], useFactory: openDisk },
    { provide: WriteAheadLog, inject: [RaftNodeConfig, LOG, DISK, DiskPulse], useFactory: openLog },
    { provide: INCARNATION, inject: [WriteAheadLog], useFactory: (wal: WriteAheadLog) => wal.incarnation },
    {
      provide: StateStore,
      inject: [RaftNodeConfig, NODE_OPTIONS, FATAL, DiskPulse, StateEvents, WriteAheadLog],
      useFactory: openState,
    },
    { provide: KEY_SPACE, useExisting: StateStore },
  ],
  exports: [WriteAheadLog, StateStore, StateEvents, KEY_SPACE, INCARNATION],
})
export class StorageModule implements OnApplicationShutdown {
  constructor(
    private readonly wal: WriteAheadLog,
    @Inject(StateStore) private readonly store: StateStore,
  ) {}

  /** The log last: while it is open it holds the lock. */
  async onApplicationShutdown(): Promise<void> {
    try {
      await this.store.close();
    } finally {
      await promised((done) => this.wal.close(done));
    }
  }
}
