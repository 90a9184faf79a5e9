import { Module } from '@nestjs/common';
import { HashingModule } from '../hashing/hashing.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { ClassicController } from './classic.controller.js';
import { ClusterController } from './cluster.controller.js';
import { CountersController } from './counters.controller.js';
import { KvController } from './kv.controller.js';
import { LeaveTaking } from './leave-taking.js';
import { LimitsController } from './limits.controller.js';
import { PlacementController } from './placement.controller.js';

/** HTTP in, one call of the router, HTTP out. */
@Module({
  imports: [RoutingModule, HashingModule],
  controllers: [
    ClassicController,
    KvController,
    CountersController,
    ClusterController,
    LimitsController,
    PlacementController,
  ],
  providers: [LeaveTaking],
})
export class HttpModule {}
