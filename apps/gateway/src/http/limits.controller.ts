import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { GatewayConfig } from '../gateway.config.js';
import { QueryPipe } from './dto/dto.pipe.js';
import { Limits } from './dto/limits.dto.js';
import { NoQuery } from './dto/no-query.dto.js';

@Controller('v1/limits')
@ApiTags('Cluster')
export class LimitsController {
  constructor(private readonly config: GatewayConfig) {}

  @Get()
  @ApiOkResponse({ type: Limits })
  limits(@Query(new QueryPipe(NoQuery)) _query: NoQuery): Limits {
    return { key_bytes_max: this.config.keyBytesMax, value_bytes_max: this.config.valueBytesMax };
  }
}
