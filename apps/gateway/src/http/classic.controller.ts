import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Consistency, RingraftError } from '@app/rpc';
import { GatewayConfig } from '../gateway.config.js';
import { KvRouter } from '../routing/kv-router.js';
import type { RequestTrace } from '../routing/request-trace.js';
import { CLASSIC_PATH, sendClassic } from './classic-answer.js';
import { parseClassicForm, type ClassicRequest } from './classic-form.js';
import { ClassicAnswer, ClassicForm } from './dto/classic.dto.js';
import type { HttpReply, HttpRequest } from './http-types.js';
import { checkKey } from './key-codec.js';
import { setLocationHeaders } from './location-headers.js';

/** `POST /request`: the interface of the system that Ringraft succeeds, byte for byte. */
@Controller(CLASSIC_PATH)
@ApiTags('Classic')
export class ClassicController {
  constructor(
    private readonly config: GatewayConfig,
    private readonly router: KvRouter,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiBody({ type: ClassicForm })
  @ApiOkResponse({ type: ClassicAnswer })
  async request(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    const classic = parseClassicForm(request.headers['content-type'], request.body);
    checkKey(classic.key.length, this.config.keyBytesMax);
    if (classic.value.length > this.config.valueBytesMax) {
      throw new RingraftError('VALUE_TOO_LARGE', `the value has ${classic.value.length} bytes`);
    }
    sendClassic(reply, 200, await this.perform(classic, reply, request.trace), 'SUCCESS');
  }

  private async perform(
    { operation, key, value }: ClassicRequest,
    reply: HttpReply,
    trace: RequestTrace,
  ): Promise<string> {
    const location = this.router.locate(key);
    setLocationHeaders(reply, location);
    switch (operation) {
      case 'SET':
        await this.router.set(location, { kind: 'set', key, value, contentType: '', ttlMs: 0 }, trace);
        return '';
      case 'DELETE':
        await this.router.delete(location, { kind: 'delete', key }, trace);
        return '';
      case 'GET': {
        const answer = await this.router.get(location, key, Consistency.LINEARIZABLE, trace);
        // JSON is text: bytes that are no UTF-8 (written through /v1) come out as U+FFFD. /v1 gives them as they are.
        return answer.found ? `1|${Buffer.from(answer.record.value).toString('utf8')}` : '0|';
      }
    }
  }
}
