import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLog, loadConfig } from '@app/platform';
import { failedResult } from '@app/rpc';
import { createGateway } from './gateway-app.js';
import { GatewayConfig } from './gateway.config.js';
import { FakeCluster } from './testing/fake-cluster.js';

type Injected = Awaited<ReturnType<NestFastifyApplication['inject']>>;

describe('the gateway over HTTP', () => {
  let clusters: FakeCluster[];
  let app: NestFastifyApplication;

  beforeAll(async () => {
    clusters = [await FakeCluster.start('c1'), await FakeCluster.start('c2', 1)];
    const config = loadConfig(GatewayConfig, {
      env: {
        RINGRAFT_CLUSTERS: clusters.map(({ listing }) => listing).join(';'),
        RINGRAFT_LISTEN: '127.0.0.1:0',
        RINGRAFT_VALUE_BYTES_MAX: '1000',
        RINGRAFT_KEY_BYTES_MAX: '100',
        RINGRAFT_STATUS_TIMEOUT_MS: '500',
        RINGRAFT_SHUTDOWN_GRACE_MS: '0',
      },
    });
    app = await createGateway(config, createLog({ level: 'silent', fields: {} }), '1.2.3');
    await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await app.close();
    for (const cluster of clusters) cluster.stop();
  });

  const call = (
    method: string,
    url: string,
    options: { body?: string | Buffer; headers?: Record<string, string> } = {},
  ) =>
    app.inject({
      method: method as 'GET',
      url,
      ...(options.body !== undefined && { payload: options.body }),
      headers: options.headers ?? {},
    });
  const put = (url: string, body: string | Buffer = 'v', headers: Record<string, string> = {}) =>
    call('PUT', url, { body, headers });
  const json = (answer: Injected) => JSON.parse(answer.body) as Record<string, unknown>;
  const expectProblem = (answer: Injected, status: number, code: string, more: object = {}) => {
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.statusCode).toBe(status);
    expect(json(answer)).toMatchObject({
      type: `urn:ringraft:error:${code}`,
      title: expect.any(String) as string,
      status,
      detail: expect.any(String) as string,
      code,
      retryable: expect.any(Boolean) as boolean,
      outcome: expect.stringMatching(/^(not_applied|unknown)$/) as string,
      ...more,
    });
  };
  const names = (field: string) => ({ errors: [expect.objectContaining({ field })] });

  it("answers each request with its id, the client's or one of its own, and names it in errors", async () => {
    const given = await call('GET', '/v1/kv/none', { headers: { 'x-request-id': 'abc-1' } });
    expect(given.headers['x-request-id']).toBe('abc-1');
    expectProblem(given, 404, 'NOT_FOUND', { request_id: 'abc-1' });
    const unfit = await call('GET', '/v1/kv/none', { headers: { 'x-request-id': 'two words' } });
    expect(unfit.headers['x-request-id']).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/);
    expectProblem(unfit, 404, 'NOT_FOUND', { request_id: unfit.headers['x-request-id'] });
    for (const url of ['/livez', '/v1/limits', '/nowhere', '/v1/kv/%zz']) {
      expect((await call('GET', url)).headers['x-request-id']).toMatch(/./);
    }
    const classic = await call('POST', '/request', { body: 'key=k', headers: { 'x-request-id': 'abc-2' } });
    expect([classic.headers['x-request-id'], classic.body]).toEqual([
      'abc-2',
      '{"response":"","error_code":"INVALID_REQUEST"}',
    ]);
  });

  describe('POST /request', () => {
    const post = (body: string, contentType = 'application/x-www-form-urlencoded') =>
      call('POST', '/request', { body, headers: { 'content-type': contentType } });

    it('answers byte for byte', async () => {
      const bodies: string[] = [];
      for (const request of ['SET|mykey|myvalue', 'GET|mykey|', 'DELETE|mykey|', 'GET|mykey|', 'DELETE|mykey|']) {
        const answer = await post(`key=mykey&request=${request}`);
        expect(answer.statusCode).toBe(200);
        expect(answer.headers['content-type']).toBe('application/json');
        bodies.push(answer.body);
      }
      expect(bodies).toEqual([
        '{"response":"","error_code":"SUCCESS"}',
        '{"response":"1|myvalue","error_code":"SUCCESS"}',
        '{"response":"","error_code":"SUCCESS"}',
        '{"response":"0|","error_code":"SUCCESS"}',
        '{"response":"","error_code":"SUCCESS"}',
      ]);
    });

    it('stores what the form encodes, readable through /v1', async () => {
      await post('key=a%2Fb&request=SET%7Ca%2Fb%7Cx%7C%C3%BC+y');
      expect((await call('GET', '/v1/kv/a%2Fb')).body).toBe('x|ü y');
      expect((await post('key=a%2Fb&request=GET|a/b|')).body).toBe('{"response":"1|x|ü y","error_code":"SUCCESS"}');
    });

    it('shows bytes that are no UTF-8 as U+FFFD', async () => {
      await put('/v1/kv/raw', Buffer.from([0x61, 0xff, 0x62]));
      expect((await post('key=raw&request=GET|raw|')).body).toBe('{"response":"1|a\ufffdb","error_code":"SUCCESS"}');
    });

    it.each([
      ['', undefined],
      ['key=k', undefined],
      ['key=k&request=PUT|k|v', undefined],
      ['key=k&request=GET|other|', undefined],
      ['key=k&request=SET|k|%zz', undefined],
      ['{"key":"k","request":"GET|k|"}', 'application/json'],
      [`key=${'k'.repeat(101)}&request=GET|${'k'.repeat(101)}|`, undefined],
    ])('refuses %j in its own shape', async (body, contentType) => {
      const answer = await post(body, contentType);
      expect(answer.statusCode).toBe(400);
      expect(answer.body).toBe('{"response":"","error_code":"INVALID_REQUEST"}');
      expect(answer.headers['content-type']).toBe('application/json');
    });

    it('refuses a value that is too large, in the form or beyond what is read', async () => {
      for (const bytes of [1_001, 100_000]) {
        const answer = await post(`key=k&request=SET|k|${'x'.repeat(bytes)}`);
        expect(answer.statusCode).toBe(413);
        expect(answer.body).toBe('{"response":"","error_code":"VALUE_TOO_LARGE"}');
      }
      expect((await post(`key=k&request=SET|k|${'x'.repeat(1_000)}`)).statusCode).toBe(200);
    });

    it('answers another method with 405 in its own shape', async () => {
      const answer = await call('GET', '/request');
      expect([answer.statusCode, answer.headers.allow, answer.body]).toEqual([
        405,
        'POST',
        '{"response":"","error_code":"INVALID_REQUEST"}',
      ]);
    });
  });

  describe('/v1/kv', () => {
    it('stores any bytes under any key, with their Content-Type', async () => {
      const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const url = '/v1/kv/%00%FF%2F%25%3F%23a%20';
      for (const contentType of [
        'image/png',
        'application/json',
        'application/x-www-form-urlencoded',
        'Text/Odd; a="b"',
      ]) {
        await put(url, everyByte, { 'content-type': contentType });
        const answer = await call('GET', url);
        expect(answer.rawPayload.equals(everyByte)).toBe(true);
        expect(answer.headers['content-type']).toBe(contentType);
      }
    });

    it('does not confuse keys that differ only in how they decode', async () => {
      await put('/v1/kv/x%2Fy', 'slash');
      await put('/v1/kv/x%252Fy', 'percent');
      expect((await call('GET', '/v1/kv/x%2fy')).body).toBe('slash');
      expect((await call('GET', '/v1/kv/x%252Fy')).body).toBe('percent');
    });

    it('goes through create, replace, read, delete', async () => {
      const created = await put('/v1/kv/life', 'one');
      expect([created.statusCode, created.body]).toEqual([201, '']);
      const replaced = await put('/v1/kv/life', 'two');
      expect(replaced.statusCode).toBe(200);
      expect(replaced.headers.etag).toMatch(/^"\d+"$/);
      expect(replaced.headers.etag).not.toBe(created.headers.etag);
      const read = await call('GET', '/v1/kv/life');
      expect([read.statusCode, read.body, read.headers.etag]).toEqual([200, 'two', replaced.headers.etag]);
      expect((await call('DELETE', '/v1/kv/life')).statusCode).toBe(204);
      expect((await call('DELETE', '/v1/kv/life')).statusCode).toBe(204);
      expectProblem(await call('GET', '/v1/kv/life'), 404, 'NOT_FOUND');
    });

    it('says where the key lives, also on errors', async () => {
      for (const answer of [
        await put('/v1/kv/where'),
        await call('GET', '/v1/kv/where'),
        await call('GET', '/v1/kv/where', { headers: { 'if-match': '"1"' } }),
        await put('/v1/kv/where', 'x', { 'if-match': '"999999"' }),
        await call('DELETE', '/v1/kv/where'),
        await call('GET', '/v1/kv/where'),
      ]) {
        expect(answer.headers['ringraft-cluster']).toMatch(/^c[12]$/);
        expect(Number(answer.headers['ringraft-slot'])).toBeLessThan(16_384);
        expect(answer.headers['ringraft-epoch']).toBe('1');
      }
    });

    it('HEAD answers as GET does, without the body', async () => {
      await put('/v1/kv/head', 'value', { 'content-type': 'text/plain' });
      const get = await call('GET', '/v1/kv/head');
      const head = await call('HEAD', '/v1/kv/head');
      expect([head.statusCode, head.body]).toEqual([200, '']);
      for (const name of ['etag', 'content-type', 'content-length']) expect(head.headers[name]).toBe(get.headers[name]);
      expect((await call('HEAD', '/v1/kv/not-there')).statusCode).toBe(404);
    });

    it('stores an empty value, and one without Content-Type as bytes', async () => {
      expect((await call('PUT', '/v1/kv/empty')).statusCode).toBe(201);
      const answer = await call('GET', '/v1/kv/empty');
      expect([answer.statusCode, answer.body, answer.headers['content-type']]).toEqual([
        200,
        '',
        'application/octet-stream',
      ]);
    });

    it('evaluates If-Match and If-None-Match on writes', async () => {
      const { etag } = (await put('/v1/kv/cas', 'one', { 'if-none-match': '*' })).headers as { etag: string };
      const revision = etag.replaceAll('"', '');
      expectProblem(await put('/v1/kv/cas', 'x', { 'if-none-match': '*' }), 412, 'PRECONDITION_FAILED', { revision });
      expectProblem(await put('/v1/kv/cas', 'x', { 'if-match': '"99999"' }), 412, 'PRECONDITION_FAILED', { revision });
      expectProblem(
        await call('DELETE', '/v1/kv/cas', { headers: { 'if-match': '"99999"' } }),
        412,
        'PRECONDITION_FAILED',
      );
      expect((await put('/v1/kv/cas', 'two', { 'if-match': etag })).statusCode).toBe(200);
      expect((await put('/v1/kv/cas', 'three', { 'if-match': '*' })).statusCode).toBe(200);
      expectProblem(await put('/v1/kv/none', 'x', { 'if-match': '*' }), 412, 'PRECONDITION_FAILED', { revision: '0' });
      expectProblem(await put('/v1/kv/cas', 'x', { 'if-match': '17' }), 400, 'INVALID_REQUEST', names('If-Match'));
    });

    it('answers 304 to who has the revision', async () => {
      const { etag } = (await put('/v1/kv/cached')).headers as { etag: string };
      const fresh = await call('GET', '/v1/kv/cached', { headers: { 'if-none-match': `"0", ${etag}` } });
      expect([fresh.statusCode, fresh.body, fresh.headers.etag]).toEqual([304, '', etag]);
      expect((await call('GET', '/v1/kv/cached', { headers: { 'if-none-match': '"0"' } })).statusCode).toBe(200);
    });

    it.each([
      ['/v1/kv/', 'KEY_EMPTY', 'key'],
      [`/v1/kv/${'k'.repeat(101)}`, 'KEY_TOO_LONG', 'key'],
      [`/v1/kv/${'%41'.repeat(101)}`, 'KEY_TOO_LONG', 'key'],
      ['/v1/kv/%ZZ', 'INVALID_REQUEST', 'key'],
      ['/v1/kv/a%', 'INVALID_REQUEST', 'key'],
      ['/v1/kv/a?ttl=soon', 'INVALID_REQUEST', 'ttl'],
      ['/v1/kv/a?ttl=1s&ttl=2s', 'INVALID_REQUEST', 'ttl'],
      ['/v1/kv/a?color=red', 'INVALID_REQUEST', 'color'],
      ['/v1/kv/a?constructor=red', 'INVALID_REQUEST', 'constructor'],
    ])('refuses PUT %s with 400 %s, naming %s', async (url, code, field) => {
      expectProblem(await put(url), 400, code, { outcome: 'not_applied', retryable: false, ...names(field) });
    });

    it('refuses other consistencies, and query parameters of other methods', async () => {
      expectProblem(await call('GET', '/v1/kv/a?consistency=x'), 400, 'INVALID_REQUEST', names('consistency'));
      expectProblem(await call('GET', '/v1/kv/a?ttl=1s'), 400, 'INVALID_REQUEST', names('ttl'));
      expectProblem(await call('DELETE', '/v1/kv/a?ttl=1s'), 400, 'INVALID_REQUEST', names('ttl'));
      await put('/v1/kv/a', 'v');
      expect((await call('GET', '/v1/kv/a?consistency=stale')).body).toBe('v');
    });

    it('takes keys and values of the largest size, and tells limit and size beyond', async () => {
      const url = `/v1/kv/${'%41'.repeat(100)}`;
      expect((await put(url, 'x'.repeat(1_000))).statusCode).toBe(201);
      expectProblem(await put(url, 'x'.repeat(1_001)), 413, 'VALUE_TOO_LARGE', { limit: 1_000, actual: 1_001 });
      expectProblem(await put(url, 'x'.repeat(100_000)), 413, 'VALUE_TOO_LARGE', { limit: 1_000, actual: 100_000 });
    });

    it('refuses encodings, ranges and Content-Types that it would not give back', async () => {
      expectProblem(await put('/v1/kv/a', 'v', { 'content-encoding': 'gzip' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
      expectProblem(
        await put('/v1/kv/a', 'v', { 'content-range': 'bytes 0-0/2' }),
        400,
        'INVALID_REQUEST',
        names('Content-Range'),
      );
      expectProblem(
        await put('/v1/kv/a', 'v', { 'content-type': `text/${'x'.repeat(300)}` }),
        400,
        'INVALID_REQUEST',
        names('Content-Type'),
      );
    });

    it('expires a key', async () => {
      await put('/v1/kv/short?ttl=1ms', 'v');
      let answer = await call('GET', '/v1/kv/short');
      while (answer.statusCode === 200) {
        // Reads see log time, which writes move on.
        await put('/v1/kv/short-other');
        await put('/v1/kv/{short}other');
        answer = await call('GET', '/v1/kv/short');
      }
      expect(answer.statusCode).toBe(404);
    });
  });

  describe('/v1/counters', () => {
    const add = (key: string, delta: unknown) =>
      call('POST', `/v1/counters/${key}`, {
        body: JSON.stringify({ delta }),
        headers: { 'content-type': 'application/json' },
      });

    it('adds, and is the ordinary value of the key', async () => {
      expect(json(await add('n', 5))).toEqual({ value: '5', revision: expect.stringMatching(/^\d+$/) as string });
      expect(json(await add('n', '-7'))).toMatchObject({ value: '-2' });
      expect((await call('GET', '/v1/kv/n')).body).toBe('-2');
    });

    it('refuses what cannot be counted', async () => {
      await put('/v1/kv/text', 'abc');
      expectProblem(await add('text', 1), 422, 'NOT_AN_INTEGER');
      await put('/v1/kv/max', '9223372036854775807');
      expectProblem(await add('max', 1), 422, 'OVERFLOW');
      expectProblem(await add('n', 1.5), 400, 'INVALID_REQUEST', names('delta'));
      expectProblem(await call('POST', '/v1/counters/n', { body: 'delta=1' }), 415, 'UNSUPPORTED_MEDIA_TYPE');
    });
  });

  describe('everything else', () => {
    it.each([
      ['GET', '/', 404, 'ROUTE_NOT_FOUND'],
      ['GET', '/v1/kv', 404, 'ROUTE_NOT_FOUND'],
      ['GET', '/v1/kv/a/b', 404, 'ROUTE_NOT_FOUND'],
      ['GET', '/v1/kv/a/', 404, 'ROUTE_NOT_FOUND'],
      ['POST', '/v1/kv/a', 405, 'METHOD_NOT_ALLOWED'],
      ['PATCH', '/v1/limits', 405, 'METHOD_NOT_ALLOWED'],
      ['GET', '/%ZZ', 400, 'INVALID_REQUEST'],
      ['GET', '/v1/limits?a=1', 400, 'INVALID_REQUEST'],
      ['GET', '/v1/cluster?a=1', 400, 'INVALID_REQUEST'],
    ])('%s %s -> %i %s', async (method, url, status, code) => {
      expectProblem(await call(method, url), status, code);
    });

    it('lists the methods of a path', async () => {
      expect((await call('POST', '/v1/kv/a')).headers.allow).toBe('DELETE, GET, HEAD, PUT');
    });

    it('tells the limits', async () => {
      expect(json(await call('GET', '/v1/limits'))).toEqual({ key_bytes_max: 100, value_bytes_max: 1_000 });
    });

    it('tells which cluster owns which slots', async () => {
      const { clusters: owners, ...rest } = json(await call('GET', '/v1/placement')) as {
        clusters: { id: string; slots: number; slot_ranges: string; nodes: object[] }[];
      };
      expect(rest).toEqual({ epoch: 1, slot_count: 16_384 });
      expect(owners.map(({ id, nodes }) => [id, nodes.length])).toEqual(
        clusters.map(({ id, nodes }) => [id, nodes.length]),
      );
      const owned = owners.map(({ slot_ranges }) =>
        slot_ranges.split(',').flatMap((range) => {
          const [first = NaN, last = first] = range.split('-').map(Number);
          return Array.from({ length: last - first + 1 }, (_, i) => first + i);
        }),
      );
      expect(owned.map(({ length }) => length)).toEqual(owners.map(({ slots }) => slots));
      expect(new Set(owned.flat()).size).toBe(16_384);
      const { headers } = await put('/v1/kv/placed');
      const owner = owners.findIndex(({ id }) => id === headers['ringraft-cluster']);
      expect(owned[owner]).toContain(Number(headers['ringraft-slot']));
    });

    it('describes itself, and its page loads nothing from another host', async () => {
      const description = json(await call('GET', '/openapi.json')) as { info: object; paths: Record<string, object> };
      expect(description.info).toMatchObject({ title: 'Ringraft', version: '1.2.3' });
      expect(Object.keys(description.paths)).toEqual(
        expect.arrayContaining([
          '/request',
          '/v1/kv/{key}',
          '/v1/counters/{key}',
          '/v1/cluster',
          '/v1/limits',
          '/v1/placement',
        ]),
      );
      expect(Object.keys(description.paths['/v1/kv/{key}'] ?? {}).sort()).toEqual(['delete', 'get', 'put']);
      const page = await call('GET', '/docs');
      expect(page.statusCode).toBe(200);
      const references = [...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url ?? '');
      expect(references.filter((url) => /^(https?:)?\/\//.test(url))).toEqual([]);
      expect(references.length).toBeGreaterThan(3);
      for (const url of references) {
        expect((await call('GET', new URL(url, 'http://host/docs').pathname)).statusCode).toBe(200);
      }
    });

    it('answers 507 in both interfaces when the cluster has no room', async () => {
      const [node] = clusters[1]!.nodes;
      clusters[0]!.nodes[0]!.behaviour = node!.behaviour = (request, proceed, respond) =>
        respond(request.kind === 'set' ? failedResult('STORAGE_FULL', 'no room left') : proceed());
      try {
        const answer = await put('/v1/kv/full');
        expectProblem(answer, 507, 'STORAGE_FULL', {
          outcome: 'not_applied',
          retryable: false,
          detail: 'no room left',
        });
        const classic = await call('POST', '/request', {
          body: 'key=full&request=SET|full|v',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        });
        expect([classic.statusCode, classic.body]).toEqual([507, '{"response":"","error_code":"STORAGE_FULL"}']);
        expect((await call('GET', '/v1/kv/full')).statusCode).toBe(404);
        expect((await call('DELETE', '/v1/kv/full')).statusCode).toBe(204);
      } finally {
        for (const { nodes } of clusters) nodes[0]!.behaviour = (_request, proceed, respond) => respond(proceed());
      }
    });

    it('shows clusters and nodes', async () => {
      const view = json(await call('GET', '/v1/cluster'));
      expect(view).toMatchObject({
        epoch: 1,
        slot_count: 16_384,
        clusters: [
          { id: 'c1', health: 'healthy', leader: 'c1-n1', term: 3, weight: 1 },
          { id: 'c2', health: 'healthy', leader: 'c2-n1' },
        ],
      });
      const [first] = view['clusters'] as { slots: number; nodes: object[] }[];
      expect(first?.slots).toBe(8_192);
      expect(first?.nodes).toHaveLength(3);
      expect(first?.nodes[1]).toMatchObject({
        id: 'c1-n2',
        is_reachable: true,
        role: 'follower',
        lag: 0,
        unhealthy_reasons: [],
      });
    });

    it('shows them also when they do not answer', async () => {
      clusters[0]!.nodes[2]!.kill();
      const view = json(await call('GET', '/v1/cluster')) as { clusters: { health: string; nodes: object[] }[] };
      expect(view.clusters[0]?.health).toBe('degraded');
      expect(view.clusters[0]?.nodes[2]).toMatchObject({ is_reachable: false, role: null, lag: null });
    });

    it('counts requests by route and outcome, never by key', async () => {
      await put('/v1/kv/counted');
      const { body } = await call('GET', '/metrics');
      expect(body).toContain(
        'ringraft_gateway_request_duration_seconds_count{route="PUT /v1/kv/:key",outcome="applied"}',
      );
      expect(body).toMatch(/^ringraft_gateway_leader_cache_hits_total \d+$/m);
      expect(body).not.toContain('counted');
    });
  });

  describe('on a real connection', () => {
    const port = () => (app.getHttpServer().address() as { port: number }).port;

    it('takes a chunked body, and refuses one without end at its limit', async () => {
      const sendChunks = (chunks: readonly string[]) =>
        new Promise<number>((resolve, reject) => {
          const request = httpRequest(
            { host: '127.0.0.1', port: port(), method: 'PUT', path: '/v1/kv/chunked' },
            (answer) => {
              answer.resume();
              resolve(answer.statusCode ?? 0);
            },
          );
          request.on('error', reject);
          for (const chunk of chunks) request.write(chunk);
          request.end();
        });
      expect(await sendChunks(['ab', 'cd'])).toBe(201);
      expect((await call('GET', '/v1/kv/chunked')).body).toBe('abcd');
      expect(await sendChunks(['x'.repeat(2_000), 'x'.repeat(2_000)])).toBe(413);
    });

    it.each([
      ['nonsense\r\n\r\n', 400],
      [`GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ])('answers what is no request as a problem', async (text, status) => {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(port(), '127.0.0.1', () => socket.write(text));
        let received = '';
        socket.on('data', (chunk) => (received += chunk.toString()));
        socket.on('end', () => resolve(received));
        socket.on('error', reject);
      });
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(answer).toContain('Content-Type: application/problem+json');
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toMatchObject({
        status,
        code: 'INVALID_REQUEST',
      });
    });
  });
});

describe('a gateway that was started before its nodes', () => {
  it('answers 503 with a reason, and becomes ready by itself', async () => {
    const cluster = await FakeCluster.start('c1');
    cluster.stop();
    const config = loadConfig(GatewayConfig, {
      env: {
        RINGRAFT_CLUSTERS: cluster.listing,
        RINGRAFT_REQUEST_TIMEOUT_MS: '1000',
        RINGRAFT_STATUS_TIMEOUT_MS: '200',
      },
    });
    const app = await createGateway(config, createLog({ level: 'silent', fields: {} }), '1.2.3');
    await app.init();
    const put = () => app.inject({ method: 'PUT', url: '/v1/kv/k', payload: 'v' });
    const readiness = () => app.inject({ method: 'GET', url: '/readyz?verbose' });

    const refused = await put();
    expect(refused.statusCode).toBe(503);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'INVALID_LEADER', outcome: 'not_applied', retryable: true });
    expect((await readiness()).body).toContain('no known leader of cluster c1');

    for (const node of cluster.nodes) await node.start();
    while ((await readiness()).statusCode !== 200) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await put()).statusCode).toBe(201);
    await app.close();
    cluster.stop();
  });
});

describe('a gateway that stops', () => {
  it('finishes what is in flight', async () => {
    const cluster = await FakeCluster.start('c1', 1);
    const config = loadConfig(GatewayConfig, { env: { RINGRAFT_CLUSTERS: cluster.listing } });
    const app = await createGateway(config, createLog({ level: 'silent', fields: {} }), '1.2.3');
    await app.listen({ host: '127.0.0.1', port: 0 });
    const url = await app.getUrl();
    let release: (() => void) | undefined;
    cluster.nodes[0]!.behaviour = (_request, proceed, respond) => {
      release = () => respond(proceed());
      cluster.nodes[0]!.behaviour = (_next, go, answer) => answer(go());
    };

    const inFlight = fetch(`${url}/v1/kv/k`, { method: 'PUT', body: 'v' });
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    const closing = app.close();
    release();
    expect((await inFlight).status).toBe(201);
    await closing;
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
    cluster.stop();
  });
});

describe('a gateway that is to stop', () => {
  it('is not ready from then on, serves for its grace, asks for the end of each connection, and then is gone', async () => {
    const cluster = await FakeCluster.start('c1');
    const config = loadConfig(GatewayConfig, {
      env: { RINGRAFT_CLUSTERS: cluster.listing, RINGRAFT_SHUTDOWN_GRACE_MS: '4000' },
    });
    const app = await createGateway(config, createLog({ level: 'silent', fields: {} }), '1.2.3');
    await app.listen({ host: '127.0.0.1', port: 0 });
    const url = await app.getUrl();
    try {
      const before = await fetch(`${url}/v1/limits`);
      expect(before.headers.get('connection')).toBe('keep-alive');
      let isClosed = false;
      const closed = app.close().then(() => (isClosed = true));
      let ready: Response;
      do ready = await fetch(`${url}/readyz`);
      while (ready.status === 200);
      expect(await ready.text()).toContain('the process is stopping');
      const put = await fetch(`${url}/v1/kv/k`, { method: 'PUT', body: 'v' });
      expect({ status: put.status, connection: put.headers.get('connection'), isClosed }).toEqual({
        status: 201,
        connection: 'close',
        isClosed: false,
      });
      await closed;
      await expect(fetch(`${url}/readyz`)).rejects.toThrow();
    } finally {
      cluster.stop();
    }
  });
});
