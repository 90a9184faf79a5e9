import { Module } from '@nestjs/common';
import { LOG, type Log } from '@app/platform';
import { WriteAheadLog } from '@app/storage';
import { ConditionModule } from '../condition/condition.module.js';
import { NodeCondition } from '../condition/node-condition.js';
import { ConsensusModule } from '../consensus/consensus.module.js';
import { FsmModule } from '../fsm/fsm.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { StorageModule } from '../storage/storage.module.js';
import { ConsistencyCheck } from './consistency-check.js';
import { ConsistencyClient } from './consistency-client.js';
import { ConsistencyDesk } from './consistency-desk.js';
import { ConsistencyController } from './consistency.controller.js';
import { Quarantine } from './quarantine.js';
import { StateScrub } from './state-scrub.js';

/** Whether this node's state is what it should be, against the other members (raft.v1.Consistency) and against itself. */
@Module({
  imports: [ConditionModule, ConsensusModule, FsmModule, PeersModule, StorageModule],
  controllers: [ConsistencyController],
  providers: [
    ConsistencyCheck,
    ConsistencyClient,
    ConsistencyDesk,
    StateScrub,
    {
      provide: Quarantine,
      // After the log is open: it holds the lock of the data directory.
      inject: [RaftNodeConfig, NodeCondition, LOG, WriteAheadLog],
      useFactory: (config: RaftNodeConfig, condition: NodeCondition, log: Log) =>
        Quarantine.open(config.dataDir, condition, log),
    },
  ],
  exports: [ConsistencyCheck, StateScrub],
})
export class ConsistencyModule {}
