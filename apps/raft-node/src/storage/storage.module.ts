import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { LOG, type Log } from '@app/platform';
import { LevelKeySpace, NodeDisk, WriteAheadLog, promised } from '@app/storage';
import { FATAL, type FatalHandler } from '../fatal.js';
import { RaftNodeConfig } from '../raft-node.config.js';

export const KEY_SPACE = Symbol('KeySpace');

/** Opens the log first: it holds the lock on the directory, so that no second process touches the state. */
async function openLog(config: RaftNodeConfig, log: Log): Promise<WriteAheadLog> {
  const disk = await promised<NodeDisk>((done) => NodeDisk.open(join(config.dataDir, 'log'), done));
  const wal = await promised<WriteAheadLog>((done) =>
    WriteAheadLog.open(
      disk,
      {
        clusterId: config.clusterId,
        nodeId: config.nodeId,
        incarnation: randomUUID(),
        segmentBytesMax: config.segmentBytesMax,
      },
      done,
    ),
  );
  log.info({ ...wal.recovery, lastIndex: wal.lastIndex, term: wal.hardState.currentTerm }, 'log opened');
  return wal;
}

/** What this node keeps on its disk: the Raft log, and the rows of the state machine. */
@Module({
  providers: [
    { provide: WriteAheadLog, inject: [RaftNodeConfig, LOG], useFactory: openLog },
    {
      provide: KEY_SPACE,
      inject: [RaftNodeConfig, FATAL, WriteAheadLog],
      useFactory: (config: RaftNodeConfig, fatal: FatalHandler) =>
        LevelKeySpace.open(join(config.dataDir, 'state'), { onFailure: fatal }),
    },
  ],
  exports: [WriteAheadLog, KEY_SPACE],
})
export class StorageModule implements OnApplicationShutdown {
  constructor(
    private readonly wal: WriteAheadLog,
    @Inject(KEY_SPACE) private readonly keySpace: LevelKeySpace,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    try {
      await this.keySpace.close();
    } finally {
      await promised((done) => this.wal.close(done));
    }
  }
}
