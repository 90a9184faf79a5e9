import { Module } from '@nestjs/common';
import { LeaderCache } from './leader-cache.js';

/** Cluster -> leader, learned from answers. */
@Module({ providers: [LeaderCache], exports: [LeaderCache] })
export class LeaderCacheModule {}
