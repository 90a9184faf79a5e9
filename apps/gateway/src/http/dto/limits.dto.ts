import { ApiProperty } from '@nestjs/swagger';

export class Limits {
  @ApiProperty({ description: 'Bytes of a key, at most', example: 4096 })
  key_bytes_max!: number;

  @ApiProperty({ description: 'Bytes of a value, at most', example: 1048576 })
  value_bytes_max!: number;
}
