import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { SLOT_COUNT } from '@app/placement';
import { CurrentPlacement } from '../hashing/current-placement.js';
import { QueryPipe } from './dto/dto.pipe.js';
import { NoQuery } from './dto/no-query.dto.js';
import { PlacementMapView } from './dto/placement.dto.js';
import { slotRanges } from './slot-ranges.js';

/** `GET /v1/placement`: which cluster owns which slots, as this gateway routes. Asks no node. */
@Controller('v1/placement')
@ApiTags('Cluster')
export class PlacementController {
  constructor(private readonly placement: CurrentPlacement) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOkResponse({ type: PlacementMapView })
  map(@Query(new QueryPipe(NoQuery)) _query: NoQuery): PlacementMapView {
    const { map } = this.placement;
    const clusters = map.clusters.map(({ id, weight, nodes }) => {
      const slots = map.slotsOf(id);
      return { id, weight, slots: slots.length, slot_ranges: slotRanges(slots), nodes: [...nodes] };
    });
    return { epoch: map.epoch, slot_count: SLOT_COUNT, clusters };
  }
}
