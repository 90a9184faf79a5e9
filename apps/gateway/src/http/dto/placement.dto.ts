import { ApiProperty } from '@nestjs/swagger';

export class PlacedNodeView {
  @ApiProperty({ example: 'c1-n1' })
  id!: string;

  @ApiProperty({ example: '127.0.0.1:7001' })
  address!: string;
}

export class PlacedClusterView {
  @ApiProperty({ example: 'c1' })
  id!: string;

  @ApiProperty({ description: 'Its share of the slots, against the weights of the others', example: 1 })
  weight!: number;

  @ApiProperty({ description: 'How many of the slots it owns', example: 5461 })
  slots!: number;

  @ApiProperty({ description: 'Which they are', example: '0-4,7,9-12' })
  slot_ranges!: string;

  @ApiProperty({ type: [PlacedNodeView] })
  nodes!: PlacedNodeView[];
}

export class PlacementMapView {
  @ApiProperty({ description: 'A map with a higher one replaces this one', example: 1 })
  epoch!: number;

  @ApiProperty({ example: 16384 })
  slot_count!: number;

  @ApiProperty({ type: [PlacedClusterView] })
  clusters!: PlacedClusterView[];
}
