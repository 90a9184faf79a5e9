import { Injectable } from '@nestjs/common';
import { firstPlacement, type Location, type PlacedCluster, type PlacementMap } from '@app/placement';
import { placedClusters } from '../cluster-list.js';
import { GatewayConfig } from '../gateway.config.js';

/** The placement that this gateway routes by: one map at a time, replaced whole. */
@Injectable()
export class CurrentPlacement {
  readonly map: PlacementMap;

  constructor(config: GatewayConfig) {
    this.map = firstPlacement(placedClusters(config.clusters));
  }

  get clusters(): readonly PlacedCluster[] {
    return this.map.clusters;
  }

  locate(key: Uint8Array): Location {
    return this.map.locate(key);
  }
}
