import { Module } from '@nestjs/common';
import type { KeySpace } from '@app/kv';
import {
  Election,
  LeadershipTransfer,
  Membership,
  Raft,
  RaftState,
  ReadIndex,
  Replication,
  Snapshots,
  type Random,
} from '@app/raft';
import { WriteAheadLog } from '@app/storage';
import { ElectionModule } from '../election/election.module.js';
import { RANDOM } from '../election/system-random.js';
import { FsmModule } from '../fsm/fsm.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { ReplicationModule } from '../replication/replication.module.js';
import { KEY_SPACE, StorageModule } from '../storage/storage.module.js';
import { LogClock } from './log-clock.js';
import { PeerTransport } from './peer-transport.js';
import { RaftDriver } from './raft-driver.js';
import { restoreState } from './restored-state.js';

/** Assembles the core from its parts and drives it. */
@Module({
  imports: [StorageModule, PeersModule, ElectionModule, ReplicationModule, FsmModule],
  providers: [
    RaftDriver,
    PeerTransport,
    LogClock,
    {
      provide: RaftState,
      inject: [RaftNodeConfig, WriteAheadLog, KEY_SPACE],
      useFactory: (config: RaftNodeConfig, log: WriteAheadLog, keySpace: KeySpace) =>
        restoreState(config, log, keySpace.appliedIndex),
    },
    {
      provide: ReadIndex,
      inject: [RaftNodeConfig, RANDOM],
      useFactory: (config: RaftNodeConfig, random: Random) => new ReadIndex(config.toRaftConfig(), random),
    },
    {
      provide: Membership,
      inject: [RaftNodeConfig, Replication],
      useFactory: (config: RaftNodeConfig, replication: Replication) =>
        new Membership(config.toRaftConfig(), replication),
    },
    {
      provide: Snapshots,
      inject: [RaftNodeConfig],
      useFactory: (config: RaftNodeConfig) => new Snapshots(config.toRaftConfig()),
    },
    {
      provide: LeadershipTransfer,
      inject: [RaftNodeConfig],
      useFactory: (config: RaftNodeConfig) => new LeadershipTransfer(config.toRaftConfig()),
    },
    {
      provide: Raft,
      inject: [RaftNodeConfig, RaftState, Election, Replication, ReadIndex, Membership, Snapshots, LeadershipTransfer],
      useFactory: (
        config: RaftNodeConfig,
        state: RaftState,
        election: Election,
        replication: Replication,
        readIndex: ReadIndex,
        membership: Membership,
        snapshots: Snapshots,
        transfer: LeadershipTransfer,
      ) => new Raft(config.toRaftConfig(), state, election, replication, readIndex, membership, snapshots, transfer),
    },
  ],
  exports: [Raft, RaftDriver],
})
export class ConsensusModule {}
