import { Module } from '@nestjs/common';
import { HashingModule } from '../hashing/hashing.module.js';
import { LeaderCacheModule } from '../leader-cache/leader-cache.module.js';
import { ClusterCaller } from './cluster-caller.js';
import { ClusterOverview } from './cluster-overview.js';
import { KvRouter } from './kv-router.js';
import { LeaderProbe } from './leader-probe.js';
import { NodeStreams } from './node-streams.js';
import { WriteSessions } from './write-sessions.js';

/** From a key to an answer: locate, call, follow the hint, try again within the deadline. */
@Module({
  imports: [HashingModule, LeaderCacheModule],
  providers: [NodeStreams, ClusterCaller, WriteSessions, KvRouter, ClusterOverview, LeaderProbe],
  exports: [KvRouter, ClusterOverview, LeaderProbe],
})
export class RoutingModule {}
