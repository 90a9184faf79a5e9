import type { ArgumentsHost } from '@nestjs/common';
import { BadRequestException, HttpException, NotFoundException } from '@nestjs/common';
import { createLog } from '@app/platform';
import { ERROR_TABLE, RingraftError, type ErrorCode } from '@app/rpc';
import { Registry } from 'prom-client';
import type { GatewayConfig } from '../gateway.config.js';
import { GatewayMetrics } from '../ops/gateway-metrics.js';
import { RequestTrace } from '../routing/request-trace.js';
import { ProblemFilter } from './problem.filter.js';
import { RouteTable } from './route-table.js';

class RecordedReply {
  status = 0;
  readonly headers: Record<string, string> = {};
  body = '';
  code(status: number): this {
    this.status = status;
    return this;
  }
  header(name: string, value: string): this {
    this.headers[name] = value;
    return this;
  }
  send(body: Buffer): this {
    this.body = body.toString();
    return this;
  }
  get json(): Record<string, unknown> {
    return JSON.parse(this.body) as Record<string, unknown>;
  }
}

describe('ProblemFilter', () => {
  const logged: string[] = [];
  const log = createLog({ level: 'info', fields: {}, destination: { write: (line) => void logged.push(line) } });
  const routes = new RouteTable();
  routes.add('/v1/kv/:key', ['GET', 'PUT']);
  const filter = new ProblemFilter(
    { valueBytesMax: 10 } as GatewayConfig,
    log,
    routes,
    new GatewayMetrics(new Registry()),
  );
  beforeEach(() => (logged.length = 0));

  function answerTo(exception: unknown, originalUrl = '/v1/kv/a', headers = {}, method = 'GET'): RecordedReply {
    const reply = new RecordedReply();
    const http = {
      getRequest: () => ({ originalUrl, headers, method, trace: new RequestTrace('r-1', false) }),
      getResponse: () => reply,
    };
    filter.catch(exception, { switchToHttp: () => http } as unknown as ArgumentsHost);
    return reply;
  }

  it.each(Object.keys(ERROR_TABLE) as ErrorCode[])('%s: everything as the table has it', (code) => {
    const rule = ERROR_TABLE[code];
    const reply = answerTo(new RingraftError(code, 'what happened'));
    expect(reply.status).toBe(rule.httpStatus);
    expect(reply.headers['Content-Type']).toBe('application/problem+json');
    expect(reply.headers['Retry-After']).toBe(rule.retryable ? '1' : undefined);
    expect(reply.json).toEqual({
      type: `urn:ringraft:error:${code}`,
      title: rule.title,
      status: rule.httpStatus,
      detail: 'what happened',
      code,
      retryable: rule.retryable,
      outcome: rule.outcome,
      request_id: 'r-1',
    });
  });

  it.each(Object.keys(ERROR_TABLE) as ErrorCode[])('%s on the classic path: one of its own codes', (code) => {
    const reply = answerTo(new RingraftError(code, 'what happened'), '/request');
    expect(reply.headers['Content-Type']).toBe('application/json');
    const { error_code: errorCode } = reply.json as { error_code: string };
    expect(reply.body).toBe(`{"response":"","error_code":"${errorCode}"}`);
    expect([
      'INVALID_REQUEST',
      'VALUE_TOO_LARGE',
      'COULD_NOT_FIND_VALID_CLUSTER',
      'INVALID_LEADER',
      'OUTCOME_UNKNOWN',
      'STORAGE_FULL',
    ]).toContain(errorCode);
    // Whoever reads only the classic code must not take an unknown outcome for a refusal.
    expect(errorCode === 'OUTCOME_UNKNOWN').toBe(ERROR_TABLE[code].outcome === 'unknown');
  });

  it('tells the facts of an error', () => {
    const fields = { limit: 1, actual: 2, revision: '3', errors: [{ field: 'f', message: 'm' }], internal: 'secret' };
    const reply = answerTo(new RingraftError('VALUE_TOO_LARGE', 'd', fields));
    expect(reply.json).toMatchObject({ limit: 1, actual: 2, revision: '3', errors: [{ field: 'f', message: 'm' }] });
    expect(reply.body).not.toContain('secret');
  });

  it('does not call an error retryable whose outcome is unknown', () => {
    const reply = answerTo(new RingraftError('NODE_UNREACHABLE', 'd', {}, { outcome: 'unknown' }));
    expect(reply.json).toMatchObject({ retryable: false, outcome: 'unknown' });
  });

  it.each([new Error('password=hunter2'), 'a string', undefined])(
    'hides and logs what nobody expected',
    (exception) => {
      const reply = answerTo(exception);
      expect(reply.json).toMatchObject({ status: 500, code: 'INTERNAL', outcome: 'unknown' });
      expect(reply.body).not.toContain('hunter2');
      expect(logged).toHaveLength(1);
    },
  );

  it('tells an unknown path from a wrong method and from an empty key', () => {
    expect(answerTo(new NotFoundException(), '/nope').json).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND' });
    const wrongMethod = answerTo(new NotFoundException(), '/v1/kv/a?x=1', {}, 'POST');
    expect(wrongMethod.json).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' });
    expect(wrongMethod.headers['Allow']).toBe('GET, PUT');
    expect(answerTo(new NotFoundException(), '/v1/kv/').json).toMatchObject({ status: 400, code: 'KEY_EMPTY' });
  });

  it('takes what the HTTP server refuses for what it is', () => {
    const tooLarge = answerTo(new HttpException('x', 413), '/v1/kv/a', { 'content-length': '11' });
    expect(tooLarge.json).toMatchObject({ code: 'VALUE_TOO_LARGE', limit: 10, actual: 11 });
    expect(answerTo(new HttpException('x', 413)).json).not.toHaveProperty('actual');
    expect(answerTo(new HttpException('x', 415)).json).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
    expect(answerTo(new BadRequestException('why')).json).toMatchObject({ code: 'INVALID_REQUEST', detail: 'why' });
    expect(answerTo(Object.assign(new Error('why'), { statusCode: 400 })).json).toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });
});
