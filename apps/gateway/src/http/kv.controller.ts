import { Controller, Delete, Get, Param, Put, Query, Req, Res } from '@nestjs/common';
import { CONTENT_TYPE_LENGTH_MAX } from '@app/kv';
import type { Location } from '@app/placement';
import { Consistency, RingraftError } from '@app/rpc';
import { GatewayConfig } from '../gateway.config.js';
import { KvRouter } from '../routing/kv-router.js';
import { etagOf, isNotModified, writeCondition } from './conditional-headers.js';
import { QueryPipe } from './dto/dto.pipe.js';
import { GetKeyQuery } from './dto/get-key.dto.js';
import { NoQuery } from './dto/no-query.dto.js';
import { SetKeyQuery, ttlMsOf } from './dto/set-key.dto.js';
import type { HttpReply, HttpRequest } from './http-types.js';
import { decodeKey } from './key-codec.js';
import { DocumentsDelete, DocumentsGet, DocumentsKeyRoutes, DocumentsPut } from './kv.documentation.js';
import { setLocationHeaders } from './location-headers.js';

/** `/v1/kv/{key}`: a value is the raw body, an ETag its revision. HEAD is served by the GET route. */
@Controller('v1/kv')
@DocumentsKeyRoutes('Keys')
export class KvController {
  constructor(
    private readonly config: GatewayConfig,
    private readonly router: KvRouter,
  ) {}

  @Put(':key')
  @DocumentsPut()
  async put(
    @Param('key') encodedKey: string,
    @Query(new QueryPipe(SetKeyQuery)) query: SetKeyQuery,
    @Req() request: HttpRequest,
    @Res() reply: HttpReply,
  ): Promise<void> {
    const { key, location } = this.locate(encodedKey, reply);
    const condition = writeCondition(request.headers);
    const { created, revision } = await this.router.set(
      location,
      {
        kind: 'set',
        key,
        value: this.bodyAsValue(request),
        contentType: contentTypeOf(request),
        ttlMs: ttlMsOf(query),
        ...(condition && { condition }),
      },
      request.trace,
    );
    reply
      .code(created ? 201 : 200)
      .header('ETag', etagOf(revision))
      .send();
  }

  @Get(':key')
  @DocumentsGet()
  async get(
    @Param('key') encodedKey: string,
    @Query(new QueryPipe(GetKeyQuery)) query: GetKeyQuery,
    @Req() request: HttpRequest,
    @Res() reply: HttpReply,
  ): Promise<void> {
    const { key, location } = this.locate(encodedKey, reply);
    const notModified = isNotModified(request.headers);
    const consistency = query.consistency === 'stale' ? Consistency.STALE : Consistency.LINEARIZABLE;
    const answer = await this.router.get(location, key, consistency, request.trace);
    if (!answer.found) throw new RingraftError('NOT_FOUND', 'no value is stored under this key');
    const { value, contentType, revision } = answer.record;
    reply.header('ETag', etagOf(revision));
    if (notModified?.(revision)) {
      reply.code(304).send();
      return;
    }
    reply
      .code(200)
      .header('Content-Type', contentType === '' ? 'application/octet-stream' : contentType)
      // A value is whatever somebody stored: a browser must neither guess its type nor run it as part of this site.
      .header('X-Content-Type-Options', 'nosniff')
      .header('Content-Security-Policy', 'sandbox')
      .send(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  }

  @Delete(':key')
  @DocumentsDelete()
  async delete(
    @Param('key') encodedKey: string,
    @Query(new QueryPipe(NoQuery)) _query: NoQuery,
    @Req() request: HttpRequest,
    @Res() reply: HttpReply,
  ): Promise<void> {
    const { key, location } = this.locate(encodedKey, reply);
    const condition = writeCondition(request.headers);
    await this.router.delete(location, { kind: 'delete', key, ...(condition && { condition }) }, request.trace);
    reply.code(204).send();
  }

  private locate(encodedKey: string, reply: HttpReply): { key: Buffer; location: Location } {
    const key = decodeKey(encodedKey, this.config.keyBytesMax);
    const location = this.router.locate(key);
    setLocationHeaders(reply, location);
    return { key, location };
  }

  private bodyAsValue({ body, headers }: HttpRequest): Buffer {
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new RingraftError('UNSUPPORTED_MEDIA_TYPE', 'a value is stored as it is: send it without Content-Encoding');
    }
    if (headers['content-range'] !== undefined) {
      throw new RingraftError('INVALID_REQUEST', 'Content-Range: a value is written whole', {
        errors: [{ field: 'Content-Range', message: 'is not supported: a value is written whole' }],
      });
    }
    const value = body ?? NO_VALUE;
    if (value.length > this.config.valueBytesMax) {
      throw new RingraftError('VALUE_TOO_LARGE', `the value has ${value.length} bytes`, {
        limit: this.config.valueBytesMax,
        actual: value.length,
      });
    }
    return value;
  }
}

const NO_VALUE = Buffer.alloc(0);

function contentTypeOf({ headers }: HttpRequest): string {
  const contentType = headers['content-type'] ?? '';
  if (contentType.length > CONTENT_TYPE_LENGTH_MAX || !/^[\x20-\x7e]*$/.test(contentType)) {
    const message = `must be at most ${CONTENT_TYPE_LENGTH_MAX} characters of visible ASCII`;
    throw new RingraftError('INVALID_REQUEST', `Content-Type ${message}`, {
      errors: [{ field: 'Content-Type', message }],
    });
  }
  return contentType;
}
