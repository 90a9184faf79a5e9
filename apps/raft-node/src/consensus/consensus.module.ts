import { Module } from '@nestjs/common';
import {
  Election,
  LeadershipTransfer,
  Membership,
  Raft,
  RaftState,
  ReadIndex,
  Replication,
  Snapshots,
  type RaftConfig,
  type Random,
} from '@app/raft';
import { StateStore, WriteAheadLog } from '@app/storage';
import { ConditionModule } from '../condition/condition.module.js';
import { ElectionModule } from '../election/election.module.js';
import { RANDOM } from '../election/system-random.js';
import { FsmModule } from '../fsm/fsm.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { ReplicationModule } from '../replication/replication.module.js';
import { SnapshotsModule } from '../snapshots/snapshots.module.js';
import { INCARNATION, StorageModule } from '../storage/storage.module.js';
import { ConsensusMetrics } from './consensus-metrics.js';
import { LogClock } from './log-clock.js';
import { PeerTransport } from './peer-transport.js';
import { Persistence } from './persistence.js';
import { RaftDriver } from './raft-driver.js';
import { restoreState } from './restored-state.js';

const RAFT_CONFIG = Symbol('RaftConfig');

/** Assembles the core from its parts and drives it. */
@Module({
  imports: [ConditionModule, StorageModule, PeersModule, ElectionModule, ReplicationModule, SnapshotsModule, FsmModule],
  providers: [
    RaftDriver,
    ConsensusMetrics,
    Persistence,
    PeerTransport,
    LogClock,
    {
      provide: RAFT_CONFIG,
      inject: [RaftNodeConfig, INCARNATION],
      useFactory: (config: RaftNodeConfig, incarnation: string): RaftConfig => ({
        ...config.toRaftConfig(),
        incarnation,
      }),
    },
    { provide: RaftState, inject: [RaftNodeConfig, WriteAheadLog, StateStore], useFactory: restoreState },
    {
      provide: ReadIndex,
      inject: [RAFT_CONFIG, RANDOM],
      useFactory: (config: RaftConfig, random: Random) => new ReadIndex(config, random),
    },
    {
      provide: Membership,
      inject: [RAFT_CONFIG, Replication],
      useFactory: (config: RaftConfig, replication: Replication) => new Membership(config, replication),
    },
    {
      provide: Snapshots,
      inject: [RAFT_CONFIG],
      useFactory: (config: RaftConfig) => new Snapshots(config),
    },
    {
      provide: LeadershipTransfer,
      inject: [RAFT_CONFIG],
      useFactory: (config: RaftConfig) => new LeadershipTransfer(config),
    },
    {
      provide: Raft,
      inject: [RAFT_CONFIG, RaftState, Election, Replication, ReadIndex, Membership, Snapshots, LeadershipTransfer],
      useFactory: (
        config: RaftConfig,
        state: RaftState,
        election: Election,
        replication: Replication,
        readIndex: ReadIndex,
        membership: Membership,
        snapshots: Snapshots,
        transfer: LeadershipTransfer,
      ) => new Raft(config, state, election, replication, readIndex, membership, snapshots, transfer),
    },
  ],
  exports: [Raft, RaftDriver, Persistence],
})
export class ConsensusModule {}
