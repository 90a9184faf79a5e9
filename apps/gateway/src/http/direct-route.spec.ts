import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import { createLog, loadConfig } from '@app/platform';
import { failedResult } from '@app/rpc';
import { createGateway } from '../gateway-app.js';
import { GatewayConfig } from '../gateway.config.js';
import { FakeCluster } from '../testing/fake-cluster.js';
import { DirectRoute, type DirectHandlers } from './direct-route.js';
import { RequestIds } from './request-ids.js';

const BODY_BYTES_MAX = 1_000;

interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: string[];
  readonly body: string;
}

describe('what goes the short way', () => {
  const route = new DirectRoute(new RequestIds(), BODY_BYTES_MAX);
  const takes = ({ method, url, headers = {} }: Call) => {
    const incoming = { method, url, headers, on: () => incoming, once: () => incoming };
    return route.takes(incoming as unknown as IncomingMessage, { once: () => undefined } as unknown as ServerResponse);
  };
  const value = (headers: Record<string, string> = {}) => ({ 'content-length': '1', ...headers });

  it('is nothing before it was opened', () => {
    expect(takes({ method: 'GET', url: '/v1/kv/k' })).toBe(false);
    route.open({
      kv: { get: () => Promise.resolve(), put: () => Promise.resolve() },
      watch: { begun: () => ({}) },
    } as unknown as DirectHandlers);
    expect(takes({ method: 'GET', url: '/v1/kv/k' })).toBe(true);
  });

  it.each<Call>([
    { method: 'GET', url: '/v1/kv/k' },
    { method: 'GET', url: '/v1/kv/a%2Fb:c@d,(e)*' },
    { method: 'GET', url: '/v1/kv/%zz' },
    { method: 'GET', url: '/v1/kv/k', headers: { 'if-none-match': '"1"' } },
    { method: 'PUT', url: '/v1/kv/k', headers: value() },
    { method: 'PUT', url: '/v1/kv/k', headers: { 'content-length': '0' } },
    { method: 'PUT', url: '/v1/kv/k', headers: value({ 'content-type': 'application/json' }) },
    { method: 'PUT', url: '/v1/kv/k', headers: value({ 'content-type': 'text/plain; charset=utf-8' }) },
    { method: 'PUT', url: '/v1/kv/k', headers: value({ 'if-match': '"1"' }) },
    { method: 'PUT', url: '/v1/kv/k', headers: { 'content-length': String(BODY_BYTES_MAX) } },
  ])('is $method $url $headers', (call) => {
    expect(takes(call)).toBe(true);
  });

  it.each<Call>([
    { method: 'GET', url: '/v1/kv/' },
    { method: 'GET', url: '/v1/kv' },
    { method: 'GET', url: '/v1/limits' },
    { method: 'GET', url: '/v1/kv/k?consistency=stale' },
    { method: 'GET', url: '/v1/kv/k?' },
    { method: 'GET', url: '/v1/kv/k#f' },
    { method: 'GET', url: '/v1/kv/a/b' },
    { method: 'GET', url: '/V1/kv/k' },
    { method: 'GET', url: 'http://host/v1/kv/k' },
    { method: 'GET', url: '/v1/kv/k\u00e9' },
    { method: 'GET', url: '/v1/kv/k', headers: value() },
    { method: 'GET', url: '/v1/kv/k', headers: { 'transfer-encoding': 'chunked' } },
    { method: 'HEAD', url: '/v1/kv/k' },
    { method: 'DELETE', url: '/v1/kv/k' },
    { method: 'POST', url: '/v1/kv/k', headers: value() },
    { method: 'PUT', url: '/v1/kv/k?ttl=1s', headers: value() },
    { method: 'PUT', url: '/v1/kv/k' },
    { method: 'PUT', url: '/v1/kv/k', headers: { 'transfer-encoding': 'chunked' } },
    { method: 'PUT', url: '/v1/kv/k', headers: value({ 'transfer-encoding': 'chunked' }) },
    { method: 'PUT', url: '/v1/kv/k', headers: value({ 'content-type': 'nonsense' }) },
    { method: 'PUT', url: '/v1/kv/k', headers: value({ 'content-type': '' }) },
    { method: 'PUT', url: '/v1/kv/k', headers: { 'content-length': String(BODY_BYTES_MAX + 1) } },
    { method: 'PUT', url: '/v1/kv/k', headers: { 'content-length': 'many' } },
  ])('is not $method $url $headers', (call) => {
    expect(takes(call)).toBe(false);
  });
});

describe('the short way and the long way', () => {
  let cluster: FakeCluster;
  let app: NestFastifyApplication;
  let port: number;
  const lines: string[] = [];

  beforeAll(async () => {
    cluster = await FakeCluster.start('c1');
    const config = loadConfig(GatewayConfig, {
      env: {
        RINGRAFT_CLUSTERS: cluster.listing,
        RINGRAFT_VALUE_BYTES_MAX: '1000',
        RINGRAFT_KEY_BYTES_MAX: '100',
        RINGRAFT_SHUTDOWN_GRACE_MS: '0',
      },
    });
    const log = createLog({ level: 'debug', fields: {}, destination: { write: (line) => void lines.push(line) } });
    app = await createGateway(config, log, '1.2.3');
    await app.listen({ host: '127.0.0.1', port: 0 });
    port = Number(new URL(await app.getUrl()).port);
  });
  afterAll(async () => {
    await app.close();
    cluster.stop();
  });

  const send = ({ method, url, headers = {}, body }: Call): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
      httpRequest({ port, host: '127.0.0.1', method, path: url, headers: { ...length, ...headers } }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.rawHeaders,
            body: Buffer.concat(parts).toString('latin1'),
          }),
        );
      })
        .on('error', reject)
        .end(body);
    });

  /** A question mark without a query says nothing new, but is not for the short way. */
  const theLongWay = (call: Call): Call => ({ ...call, url: `${call.url}?` });

  /** What differs between any two requests: when it was, and how it is called. */
  const comparable = ({ status, headers, body }: Answer) => ({
    status,
    headers: headers.map((text, at) => (['Date', 'x-request-id'].includes(headers[at - 1]!) ? '...' : text)),
    body: body.replace(/"request_id":"[^"]*"/, '"request_id":"..."'),
  });

  const put = (url: string, body: string, headers: Record<string, string> = {}): Call => ({
    method: 'PUT',
    url: `/v1/kv/${url}`,
    body,
    headers,
  });
  const get = (url: string, headers: Record<string, string> = {}): Call => ({
    method: 'GET',
    url: `/v1/kv/${url}`,
    headers,
  });

  beforeAll(async () => {
    await send(put('there', 'a value', { 'Content-Type': 'text/plain' }));
    await send(put('empty', ''));
    await send(put('%00%ff%2F', 'bytes'));
  });

  it.each<Call>([
    get('there'),
    get('empty'),
    get('%00%ff%2F'),
    get('none'),
    get('%zz'),
    get('k'.repeat(101)),
    get('there', { 'If-None-Match': '*' }),
    get('there', { 'If-None-Match': '"99"' }),
    get('there', { 'If-None-Match': 'nonsense' }),
    get('there', { 'If-Match': '"1"' }),
    get('there', { 'X-Request-Id': 'mine' }),
    get('there', { Connection: 'close' }),
    put('there', 'x'.repeat(1_001)),
    put('%zz', 'v'),
    put('there', 'v', { 'If-None-Match': '*' }),
    put('there', 'v', { 'If-Match': '"99"' }),
    put('there', 'v', { 'If-Match': 'nonsense' }),
    put('there', 'v', { 'Content-Encoding': 'gzip' }),
    put('there', 'v', { 'Content-Range': 'bytes 0-1/2' }),
    put('there', 'v', { 'Content-Type': `text/${'x'.repeat(300)}` }),
  ])('answer $method $url $headers the same, byte for byte', async (call) => {
    const short = await send(call);
    const long = await send(theLongWay(call));
    expect(comparable(short)).toEqual(comparable(long));
    expect(short.headers).toContain('x-request-id');
  });

  it('write the same', async () => {
    const ways = { short: (call: Call) => call, long: theLongWay };
    for (const [name, way] of Object.entries(ways)) {
      const binary = '\u0000\u0001\u00ff{"a":1}';
      const created = await send(way(put(`w-${name}`, binary, { 'Content-Type': 'application/json' })));
      const replaced = await send(way(put(`w-${name}`, binary, { 'Content-Type': 'application/json' })));
      expect([created.status, replaced.status]).toEqual([201, 200]);
      for (const { headers, body } of [created, replaced]) {
        expect(headers.filter((_, at) => at % 2 === 0)).toEqual([
          ...['x-request-id', 'ringraft-cluster', 'ringraft-slot', 'ringraft-epoch', 'etag', 'content-length'],
          ...['Date', 'Connection', 'Keep-Alive'],
        ]);
        expect(body).toBe('');
      }
      const read = await send(get(`w-${name}`));
      expect(read.body).toBe(Buffer.from(binary, 'utf8').toString('latin1'));
      expect(read.headers).toEqual(expect.arrayContaining(['content-type', 'application/json']));
    }
  });

  it('fail the same when the cluster refuses', async () => {
    const [node] = cluster.nodes;
    node!.behaviour = (_request, _proceed, respond) => respond(failedResult('OVERLOADED', 'as the test wants'));
    try {
      for (const call of [get('there'), put('there', 'v')]) {
        const short = await send(call);
        expect(short.status).toBe(503);
        expect(comparable(short)).toEqual(comparable(await send(theLongWay(call))));
      }
    } finally {
      node!.behaviour = (_request, proceed, respond) => respond(proceed());
    }
  });

  it('are counted under the same names', async () => {
    const count = async () => {
      const { values } = await app.get(Registry).getSingleMetric('ringraft_gateway_request_duration_seconds')!.get();
      const ofGets = (metricName: string | undefined, { route, outcome }: Record<string, unknown>) =>
        metricName?.endsWith('_count') && route === 'GET /v1/kv/:key' && outcome === 'applied';
      return values.find(({ metricName, labels }: { metricName?: string; labels: object }) =>
        ofGets(metricName, labels as Record<string, unknown>),
      )?.value;
    };
    const before = (await count()) ?? 0;
    await send(get('there'));
    await send(theLongWay(get('there')));
    while ((await count())! < before + 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await count()).toBe(before + 2);
  });

  const connected = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };

  const untilLogged = async (part: string): Promise<string> => {
    let line: string | undefined;
    while ((line = lines.find((candidate) => candidate.includes(part))) === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return line;
  };

  it('take a body that comes in pieces, and answer in the order of the requests of one connection', async () => {
    const socket = await connected();
    let received = '';
    socket.on('data', (data) => (received += data.toString()));
    const head = (name: string) => `PUT /v1/kv/${name} HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n`;
    socket.write(`${head('pieces')}abc`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.write(`def${head('pieces-2')}ghijkl`);
    socket.write('GET /v1/kv/none? HTTP/1.1\r\nHost: h\r\n\r\nGET /v1/kv/there HTTP/1.1\r\nHost: h\r\n\r\n');
    while (!received.endsWith('a value')) await once(socket, 'data');
    expect(received.split('HTTP/1.1 ').map((answer) => answer.slice(0, 3))).toEqual(['', '201', '201', '404', '200']);
    expect((await send(get('pieces'))).body).toBe('abcdef');
    expect((await send(get('pieces-2'))).body).toBe('ghijkl');
    socket.destroy();
  });

  it.each(['', '?'])('store nothing of a body that was cut short, and stay (%p)', async (mark) => {
    const socket = await connected();
    const id = `cut-${mark === '' ? 'short' : 'long'}`;
    socket.write(
      `PUT /v1/kv/${id}${mark} HTTP/1.1\r\nHost: h\r\nX-Request-Id: ${id}\r\nContent-Length: 100\r\n\r\nhalf`,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.destroy();
    await untilLogged(id);
    expect((await send(get(id))).status).toBe(404);
  });

  it.each(['', '?'])(
    'cut off a client that is too slow, and store nothing of what it sends then (%p)',
    async (mark) => {
      const server = app.getHttpServer();
      const { headersTimeout, requestTimeout } = server;
      expect([headersTimeout, requestTimeout]).toEqual([30_000, 30_000]);
      const socket = await connected();
      let received = '';
      socket.on('data', (data) => (received += data.toString()));
      const closed = once(socket, 'close');
      Object.assign(server, { headersTimeout: 100, requestTimeout: 100 });
      try {
        socket.write(`PUT /v1/kv/late${mark} HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc`);
        while (!received.startsWith('HTTP/1.1 408 ')) await once(socket, 'data');
        socket.write('def');
        await closed;
      } finally {
        Object.assign(server, { headersTimeout, requestTimeout });
      }
      expect(received).toContain('"outcome":"not_applied"');
      expect((await send(get('late'))).status).toBe(404);
    },
  );

  it.each(['', '?'])('say nothing of what comes behind a request that is not answered yet (%p)', async (mark) => {
    const [node] = cluster.nodes;
    let release: (() => void) | undefined;
    node!.behaviour = (_request, proceed, respond) => (release = () => respond(proceed()));
    const socket = await connected();
    let received = '';
    socket.on('data', (data) => (received += data.toString()));
    const closed = once(socket, 'close');
    socket.write(`PUT /v1/kv/followed${mark} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nv`);
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    node!.behaviour = (_request, proceed, respond) => respond(proceed());
    socket.write('GARBAGE\r\n\r\n');
    await closed;
    expect(received).toBe('');
    release();
    while ((await send(get('followed'))).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it.each(['', '?'])('tell of a client that left before its answer (%p)', async (mark) => {
    const id = `left-${mark === '' ? 'short' : 'long'}`;
    let release: (() => void) | undefined;
    const [node] = cluster.nodes;
    node!.behaviour = (_request, proceed, respond) => (release = () => respond(proceed()));
    const socket = await connected();
    socket.write(`GET /v1/kv/there${mark} HTTP/1.1\r\nHost: h\r\nX-Request-Id: ${id}\r\n\r\n`);
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    socket.destroy();
    const line = await untilLogged(id);
    expect(JSON.parse(line)).toMatchObject({ status: 499, method: 'GET', route: '/v1/kv/:key' });
    node!.behaviour = (_request, proceed, respond) => respond(proceed());
    release();
    expect((await send(get('there'))).status).toBe(200);
  });

  it('ask for the end of the connection while the gateway stops', async () => {
    const [node] = cluster.nodes;
    let release: (() => void) | undefined;
    node!.behaviour = (_request, proceed, respond) => (release = () => respond(proceed()));
    const answered = send(get('there'));
    while (release === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    node!.behaviour = (_request, proceed, respond) => respond(proceed());
    const closing = app.close();
    await new Promise((resolve) => setImmediate(resolve));
    release();
    const { status, headers } = await answered;
    expect([status, headers[headers.indexOf('connection') + 1]]).toEqual([200, 'close']);
    await closing;
  });
});
