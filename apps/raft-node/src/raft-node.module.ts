import { Module, type DynamicModule } from '@nestjs/common';
import { LoggingModule, MetricsModule, type Log } from '@app/platform';
import { BackupModule } from './backup/backup.module.js';
import { ConsistencyModule } from './consistency/consistency.module.js';
import { ConsensusModule } from './consensus/consensus.module.js';
import { ElectionModule } from './election/election.module.js';
import { FATAL, type FatalHandler } from './fatal.js';
import { FsmModule } from './fsm/fsm.module.js';
import { MembershipModule } from './membership/membership.module.js';
import { NODE_OPTIONS, type NodeOptions } from './node-options.js';
import { OpsModule } from './ops/ops.module.js';
import { RaftNodeConfig } from './raft-node.config.js';
import { ReplicationModule } from './replication/replication.module.js';

/** One node: consensus, the state machine that it feeds, and the services around them. */
@Module({})
export class RaftNodeModule {
  static forConfig(config: RaftNodeConfig, log: Log, fatal: FatalHandler, options: NodeOptions = {}): DynamicModule {
    return {
      module: RaftNodeModule,
      global: true,
      imports: [
        LoggingModule.forRoot(log),
        MetricsModule.forRoot({ cluster: config.clusterId, node: config.nodeId }),
        ConsensusModule,
        ElectionModule,
        ReplicationModule,
        FsmModule,
        MembershipModule,
        ConsistencyModule,
        BackupModule,
        OpsModule,
      ],
      providers: [
        { provide: RaftNodeConfig, useValue: config },
        { provide: FATAL, useValue: fatal },
        { provide: NODE_OPTIONS, useValue: options },
      ],
      exports: [RaftNodeConfig, FATAL, NODE_OPTIONS],
    };
  }
}
