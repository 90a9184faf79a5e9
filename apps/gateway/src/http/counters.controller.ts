import { Controller, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse } from '@nestjs/swagger';
import { GatewayConfig } from '../gateway.config.js';
import { KvRouter } from '../routing/kv-router.js';
import { writeCondition } from './conditional-headers.js';
import { jsonBody, QueryPipe } from './dto/dto.pipe.js';
import { IncrementBody, IncrementResult, parseDelta } from './dto/increment.dto.js';
import { NoQuery } from './dto/no-query.dto.js';
import type { HttpReply, HttpRequest } from './http-types.js';
import { decodeKey } from './key-codec.js';
import { DocumentsIncrement, DocumentsKeyRoutes } from './kv.documentation.js';
import { setLocationHeaders } from './location-headers.js';

/** `/v1/counters/{key}`: adds to the decimal integer that is the ordinary value of the key. */
@Controller('v1/counters')
@DocumentsKeyRoutes('Counters')
export class CountersController {
  constructor(
    private readonly config: GatewayConfig,
    private readonly router: KvRouter,
  ) {}

  @Post(':key')
  @HttpCode(200)
  @ApiBody({ type: IncrementBody })
  @ApiOkResponse({ type: IncrementResult })
  @DocumentsIncrement()
  async increment(
    @Param('key') encodedKey: string,
    @Query(new QueryPipe(NoQuery)) _query: NoQuery,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<IncrementResult> {
    const key = decodeKey(encodedKey, this.config.keyBytesMax);
    const location = this.router.locate(key);
    setLocationHeaders(reply, location);
    const condition = writeCondition(request.headers);
    const { value, revision } = await this.router.increment(
      location,
      {
        kind: 'increment',
        key,
        delta: parseDelta(jsonBody(IncrementBody, request).delta) ?? 0n,
        ...(condition && { condition }),
      },
      request.trace,
    );
    return { value: String(value), revision: String(revision) };
  }
}
