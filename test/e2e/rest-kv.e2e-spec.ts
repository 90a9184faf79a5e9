import { connect } from 'node:net';
import { slotOf } from '@app/placement';
import { eventually } from '../support/eventually.js';
import { HttpClient, type HttpAnswer } from '../support/http-client.js';
import { startTestCluster, type TestCluster } from '../support/test-cluster.js';

/** Far above what it takes: a machine that is busy with other tests must not fail this one. */
jest.setTimeout(120_000);

const MIB = 1024 * 1024;
const VIEW_DEADLINE_MS = 60_000;

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly outcome: string;
  readonly limit?: number;
  readonly actual?: number;
  readonly revision?: string;
  readonly errors?: readonly { field: string; message: string }[];
}

describe('REST /v1/kv', () => {
  let cluster: TestCluster;
  let http: HttpClient;

  beforeAll(async () => {
    cluster = await startTestCluster({ clusters: 3, nodes: 1, gateways: 1 });
    http = new HttpClient(cluster.gateways[0]!.url);
  }, 90_000);

  afterAll(async () => {
    http?.close();
    await cluster?.dispose();
  }, 30_000);

  let keyCount = 0;
  /** The path of a key that no other test uses. */
  const freshPath = (): string => `/v1/kv/fresh-${++keyCount}`;

  function expectProblem(answer: HttpAnswer, status: number, code: string): Problem {
    expect(answer.headers['content-type']?.split(';')[0]).toBe('application/problem+json');
    const problem = answer.json<Problem>();
    expect([answer.status, problem.status, problem.code]).toEqual([status, status, code]);
    expect(problem.type).toBe(`urn:ringraft:error:${code}`);
    expect(problem.title.length * problem.detail.length).toBeGreaterThan(0);
    expect(problem.outcome).toBe('not_applied');
    return problem;
  }

  describe('PUT, GET, HEAD and DELETE', () => {
    it('create, read, replace and delete a value, with its Content-Type and an ETag', async () => {
      const path = freshPath();
      const created = await http.put(path, '{"a":1}', { headers: { 'content-type': 'application/json' } });
      expect([created.status, created.text]).toEqual([201, '']);
      expect(created.headers.etag).toMatch(/^"[1-9][0-9]*"$/);

      const read = await http.get(path);
      expect([read.status, read.text]).toEqual([200, '{"a":1}']);
      expect(read.headers).toMatchObject({ etag: created.headers.etag, 'content-type': 'application/json' });

      const replaced = await http.put(path, 'text', { headers: { 'content-type': 'text/plain' } });
      expect(replaced.status).toBe(200);
      expect(Number(replaced.headers.etag!.slice(1, -1))).toBeGreaterThan(Number(created.headers.etag!.slice(1, -1)));
      expect((await http.get(path)).headers).toMatchObject({
        etag: replaced.headers.etag,
        'content-type': 'text/plain',
      });

      const deleted = await http.delete(path);
      expect([deleted.status, deleted.text]).toEqual([204, '']);
      expectProblem(await http.get(path), 404, 'NOT_FOUND');
      expect((await http.delete(path)).status).toBe(204);
    });

    it('answers HEAD like GET, without the body', async () => {
      const path = freshPath();
      expect((await http.call('HEAD', path)).status).toBe(404);
      await http.put(path, 'four', { headers: { 'content-type': 'text/plain' } });
      const get = await http.get(path);
      const head = await http.call('HEAD', path);
      expect([head.status, head.text]).toEqual([200, '']);
      for (const name of ['etag', 'content-type', 'content-length', 'ringraft-slot']) {
        expect([name, head.headers[name]]).toEqual([name, get.headers[name]]);
      }
      expect(head.headers['content-length']).toBe('4');
    });

    it('stores an empty value', async () => {
      const path = freshPath();
      expect((await http.put(path, '')).status).toBe(201);
      const read = await http.get(path);
      expect([read.status, read.body.length]).toEqual([200, 0]);
    });

    it('stores values of every byte as they are', async () => {
      const path = freshPath();
      const value = Buffer.from(Uint8Array.from({ length: 4 * 256 }, (_, i) => i % 256));
      await http.put(path, value);
      const read = await http.get(path);
      expect(read.body).toEqual(value);
      expect(read.headers['content-type']).toBe('application/octet-stream');
    });

    it('stores a body as it is, also one that claims to be a form or JSON and is none', async () => {
      for (const type of ['application/x-www-form-urlencoded', 'application/json', 'multipart/form-data; boundary=x']) {
        const path = freshPath();
        await http.put(path, 'not=what&it{claims', { headers: { 'content-type': type } });
        const read = await http.get(path);
        expect([read.text, read.headers['content-type']]).toEqual(['not=what&it{claims', type]);
      }
    });

    it('takes a value of 1 MiB and refuses one byte more', async () => {
      const path = freshPath();
      const value = Buffer.alloc(MIB, 'x');
      expect((await http.put(path, value)).status).toBe(201);
      expect((await http.get(path)).body.equals(value)).toBe(true);

      const refused = expectProblem(await http.put(path, Buffer.alloc(MIB + 1, 'y')), 413, 'VALUE_TOO_LARGE');
      expect(refused).toMatchObject({ limit: MIB, actual: MIB + 1, retryable: false });
      expect((await http.get(path)).body.equals(value)).toBe(true);
    });

    it('refuses a body far beyond the limit before it is sent', async () => {
      const headers = { 'content-length': 64 * MIB };
      const refused = expectProblem(
        await http.put(freshPath(), 'the first bytes', { headers }),
        413,
        'VALUE_TOO_LARGE',
      );
      expect(refused).toMatchObject({ limit: MIB, actual: 64 * MIB });
    });
  });

  describe('keys', () => {
    it('are any bytes, percent-encoded, and each spelling of the same bytes is the same key', async () => {
      const everyByte = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
      expect((await http.put(`/v1/kv/${everyByte}`, 'all')).status).toBe(201);
      expect((await http.get(`/v1/kv/${everyByte.toUpperCase()}`)).text).toBe('all');

      expect((await http.put('/v1/kv/a%2Fb', 'slash')).status).toBe(201);
      expect((await http.get('/v1/kv/%61%2f%62')).text).toBe('slash');
      expect((await http.get('/v1/kv/a')).status).toBe(404);
    });

    it.each([
      ['a slash', '%2F'],
      ['a percent sign', '%25'],
      ['an escape that is text', '%2541'],
      ['a plus', '+'],
      ['a space', '%20'],
      ['a NUL', '%00'],
      ['a question mark', '%3F'],
      ['a hash', '%23'],
      ['one dot', '%2E'],
      ['two dots', '%2e%2e'],
      ['what is no UTF-8', '%ff%fe%c0'],
      ['UTF-8', 'gr%C3%BC%C3%9Fe%F0%9F%9A%80'],
      ['braces and bars', '{tag}|%7C;,=@&$!*()'],
    ])('may be %s', async (_what, encoded) => {
      const path = `/v1/kv/${encoded}`;
      expect((await http.put(path, `value of ${encoded}`)).status).toBe(201);
      expect((await http.get(path)).text).toBe(`value of ${encoded}`);
      expect((await http.delete(path)).status).toBe(204);
      expect((await http.get(path)).status).toBe(404);
    });

    it('have at most 4,096 bytes, counted after decoding', async () => {
      for (const character of ['k', '%ff']) {
        expect((await http.put(`/v1/kv/${character.repeat(4096)}`, 'v')).status).toBe(201);
        expect((await http.get(`/v1/kv/${character.repeat(4096)}`)).text).toBe('v');
        const refused = expectProblem(await http.put(`/v1/kv/${character.repeat(4097)}`, 'v'), 400, 'KEY_TOO_LONG');
        expect(refused).toMatchObject({ limit: 4096, actual: 4097, errors: [{ field: 'key' }] });
      }
    });

    it('are not empty', async () => {
      for (const method of ['PUT', 'GET', 'DELETE']) {
        const refused = expectProblem(await http.call(method, '/v1/kv/', { body: '' }), 400, 'KEY_EMPTY');
        expect(refused.errors).toEqual([{ field: 'key', message: 'must not be empty' }]);
      }
    });

    it.each(['%', '%4', 'a%zz', '%u0041', 'a%2', '%%41'])('refuse wrong percent-encoding: %s', async (encoded) => {
      for (const method of ['PUT', 'GET', 'DELETE']) {
        const answer = await http.call(method, `/v1/kv/${encoded}`, method === 'PUT' ? { body: 'v' } : {});
        expect(expectProblem(answer, 400, 'INVALID_REQUEST').errors).toMatchObject([{ field: 'key' }]);
      }
    });

    it('do not contain slashes that are not encoded, and the answer says how to', async () => {
      const refused = expectProblem(await http.put('/v1/kv/a/b', 'v'), 404, 'ROUTE_NOT_FOUND');
      expect(refused.detail).toContain('%2F');
    });

    it('say where they are: cluster, slot and epoch, on every answer', async () => {
      const clusters = new Set<unknown>();
      for (let n = 0; n < 12; n++) {
        const key = `where-${n}`;
        const answers = [
          await http.put(`/v1/kv/${key}`, 'v'),
          await http.get(`/v1/kv/${key}`),
          await http.delete(`/v1/kv/${key}`),
          await http.get(`/v1/kv/${key}`),
          await http.put(`/v1/kv/${key}`, 'v', { headers: { 'if-match': '"1"' } }),
        ];
        expect(answers.map(({ status }) => status)).toEqual([201, 200, 204, 404, 412]);
        for (const { headers } of answers) {
          expect(headers['ringraft-slot']).toBe(String(slotOf(key)));
          expect(headers['ringraft-epoch']).toBe('1');
          expect(headers['ringraft-cluster']).toBe(answers[0]!.headers['ringraft-cluster']);
        }
        clusters.add(answers[0]!.headers['ringraft-cluster']);
      }
      expect([...clusters].sort()).toEqual(['c1', 'c2', 'c3']);
    });

    it('with the same tag are in the same slot', async () => {
      const one = await http.put('/v1/kv/{user1000}.following', 'v');
      const other = await http.put('/v1/kv/%7Buser1000%7D.followers', 'v');
      expect(one.headers['ringraft-slot']).toBe('3443');
      expect(other.headers['ringraft-slot']).toBe('3443');
    });
  });

  describe('conditions', () => {
    it('If-None-Match: * writes only what is not there', async () => {
      const path = freshPath();
      const headers = { 'if-none-match': '*' };
      const created = await http.put(path, 'first', { headers });
      expect(created.status).toBe(201);
      const refused = expectProblem(await http.put(path, 'second', { headers }), 412, 'PRECONDITION_FAILED');
      expect(`"${refused.revision}"`).toBe(created.headers.etag);
      expect((await http.get(path)).text).toBe('first');
    });

    it('If-Match with a revision writes and deletes only that revision', async () => {
      const path = freshPath();
      const first = (await http.put(path, 'first')).headers.etag!;
      const second = (await http.put(path, 'second', { headers: { 'if-match': first } })).headers.etag!;
      expect(second).not.toBe(first);

      expectProblem(await http.put(path, 'late', { headers: { 'if-match': first } }), 412, 'PRECONDITION_FAILED');
      expectProblem(await http.delete(path, { headers: { 'if-match': first } }), 412, 'PRECONDITION_FAILED');
      expect((await http.get(path)).text).toBe('second');

      expect((await http.delete(path, { headers: { 'if-match': second } })).status).toBe(204);
      expectProblem(await http.delete(path, { headers: { 'if-match': second } }), 412, 'PRECONDITION_FAILED');
      expectProblem(await http.put(path, 'again', { headers: { 'if-match': second } }), 412, 'PRECONDITION_FAILED');
      expect((await http.get(path)).status).toBe(404);
    });

    it('If-Match: * writes only what is there', async () => {
      const path = freshPath();
      const headers = { 'if-match': '*' };
      expectProblem(await http.put(path, 'v', { headers }), 412, 'PRECONDITION_FAILED');
      await http.put(path, 'v');
      expect((await http.put(path, 'w', { headers })).status).toBe(200);
    });

    it('If-None-Match on GET and HEAD answers 304 for the revision that the client has', async () => {
      const path = freshPath();
      const etag = (await http.put(path, 'v')).headers.etag!;
      for (const tags of [etag, `W/${etag}`, `"0", ${etag}`, '*']) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await http.call(method, path, { headers: { 'if-none-match': tags } });
          expect([method, tags, answer.status, answer.text]).toEqual([method, tags, 304, '']);
          expect(answer.headers.etag).toBe(etag);
        }
      }
      expect((await http.get(path, { headers: { 'if-none-match': '"0"' } })).text).toBe('v');
    });

    it.each([
      ['PUT', { 'if-match': '7' }, 'If-Match'],
      ['PUT', { 'if-match': '"7", "8"' }, 'If-Match'],
      ['PUT', { 'if-match': '"x"' }, 'If-Match'],
      ['PUT', { 'if-match': 'W/"7"' }, 'If-Match'],
      ['PUT', { 'if-match': '"99999999999999999999"' }, 'If-Match'],
      ['PUT', { 'if-none-match': '"7"' }, 'If-None-Match'],
      ['PUT', { 'if-match': '"7"', 'if-none-match': '*' }, 'If-None-Match'],
      ['DELETE', { 'if-match': '' }, 'If-Match'],
      ['GET', { 'if-none-match': '7' }, 'If-None-Match'],
      ['GET', { 'if-match': '"7"' }, 'If-Match'],
    ])('%s refuses a condition that it does not understand: %j', async (method, headers, field) => {
      const path = freshPath();
      await http.put(path, 'v');
      const answer = await http.call(method, path, { headers, ...(method === 'PUT' && { body: 'w' }) });
      expect(expectProblem(answer, 400, 'INVALID_REQUEST').errors).toMatchObject([{ field }]);
      expect((await http.get(path)).text).toBe('v');
    });

    it('let exactly one of many concurrent writers create a key, and count without losing a step', async () => {
      const path = freshPath();
      const creations = await Promise.all(
        Array.from({ length: 16 }, (_, i) => http.put(path, `${i}`, { headers: { 'if-none-match': '*' } })),
      );
      expect(creations.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(15).fill(412)]);

      await http.put(path, '0');
      const increment = async (): Promise<void> => {
        for (;;) {
          const { text, headers } = await http.get(path);
          const written = await http.put(path, `${Number(text) + 1}`, { headers: { 'if-match': headers.etag } });
          if (written.status === 200) return;
          expectProblem(written, 412, 'PRECONDITION_FAILED');
        }
      };
      await Promise.all(Array.from({ length: 8 }, increment));
      expect((await http.get(path)).text).toBe('8');
    });
  });

  describe('what is malformed', () => {
    it('names each wrong query parameter', async () => {
      const path = freshPath();
      const { errors } = expectProblem(await http.put(`${path}?ttl=soon&colour=red`, 'v'), 400, 'INVALID_REQUEST');
      expect(errors!.map(({ field }) => field).sort()).toEqual(['colour', 'ttl']);
      expectProblem(await http.get(`${path}?consistency=eventual`), 400, 'INVALID_REQUEST');
      expectProblem(await http.delete(`${path}?ttl=3s`), 400, 'INVALID_REQUEST');
      expect((await http.get(path)).status).toBe(404);
    });

    it('is told when the method does not fit, with the methods that do', async () => {
      const answer = await http.call('PATCH', freshPath(), { body: 'v' });
      expectProblem(answer, 405, 'METHOD_NOT_ALLOWED');
      expect(answer.headers.allow!.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PUT']);
    });

    it('is told when the path does not exist', async () => {
      for (const path of ['/', '/v1', '/v1/kvs/a', '/v2/kv/a', '/nowhere']) {
        expectProblem(await http.get(path), 404, 'ROUTE_NOT_FOUND');
      }
    });

    it('refuses encoded and partial bodies', async () => {
      const encoded = await http.put(freshPath(), 'v', { headers: { 'content-encoding': 'gzip' } });
      expectProblem(encoded, 415, 'UNSUPPORTED_MEDIA_TYPE');
      const partial = await http.put(freshPath(), 'v', { headers: { 'content-range': 'bytes 0-0/2' } });
      expectProblem(partial, 400, 'INVALID_REQUEST');
    });

    it('does not bring the gateway down: bytes that are no HTTP', async () => {
      const { port } = new URL(http.baseUrl);
      const answer = await new Promise<string>((resolve, reject) => {
        let text = '';
        const socket = connect(Number(port), '127.0.0.1', () => socket.write('\u0000\u0001 not HTTP at all\r\n\r\n'));
        socket.setEncoding('latin1');
        socket.on('data', (part: string) => (text += part));
        socket.on('end', () => resolve(text));
        socket.on('error', reject);
      });
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json\r\n/);
      expect((await http.get('/livez')).text).toBe('ok');
    });
  });

  describe('around the keys', () => {
    it('GET /v1/limits tells the limits', async () => {
      const answer = await http.get('/v1/limits');
      expect(answer.json()).toEqual({ key_bytes_max: 4096, value_bytes_max: MIB });
    });

    it('GET /v1/cluster tells the placement, the nodes and who leads', async () => {
      interface Overview {
        epoch: number;
        clusters: {
          id: string;
          slots: number;
          leader: string | null;
          nodes: { id: string; address: string; role: string }[];
        }[];
      }
      const overview = await eventually(
        'every node has answered the gateway in time',
        async () => {
          const seen = (await http.get('/v1/cluster')).json<Overview>();
          return seen.clusters.every(({ leader }) => leader) ? seen : undefined;
        },
        VIEW_DEADLINE_MS,
      );
      expect(overview.epoch).toBe(1);
      expect(overview.clusters.map(({ id, slots, leader }) => ({ id, slots, leader }))).toEqual([
        { id: 'c1', slots: 5462, leader: 'c1-n1' },
        { id: 'c2', slots: 5461, leader: 'c2-n1' },
        { id: 'c3', slots: 5461, leader: 'c3-n1' },
      ]);
      expect(
        overview.clusters.flatMap(({ nodes }) => nodes.map(({ id, address, role }) => ({ id, address, role }))),
      ).toEqual(cluster.nodes.map(({ name, address }) => ({ id: name, address, role: 'leader' })));
    });

    it('GET /openapi.json describes every route, and /docs shows it without other hosts', async () => {
      const { openapi, paths } = (await http.get('/openapi.json')).json<{ openapi: string; paths: object }>();
      expect(openapi).toMatch(/^3\./);
      expect(Object.keys(paths)).toEqual(
        expect.arrayContaining(['/request', '/v1/kv/{key}', '/v1/cluster', '/v1/limits', '/livez', '/readyz']),
      );
      const page = await http.get('/docs');
      expect(page.status).toBe(200);
      expect(page.headers['content-type']).toContain('text/html');
      const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);
      expect(assets.length).toBeGreaterThan(0);
      for (const asset of assets) {
        expect(asset).not.toMatch(/^(https?:)?\/\//);
        const { pathname } = new URL(asset, `${http.baseUrl}/docs`);
        expect([pathname, (await http.get(pathname)).status]).toEqual([pathname, 200]);
      }
    });

    it('GET /livez, /readyz and /metrics are there for operators', async () => {
      expect((await http.get('/livez')).text).toBe('ok');
      expect((await http.get('/readyz?verbose')).text).toMatch(/^\[\+\]/);
      expect((await http.get('/metrics')).text).toMatch(/^ringraft_nodejs_eventloop_lag_seconds/m);
      const node = new HttpClient(cluster.nodes[0]!.opsUrl);
      expect((await node.get('/livez?verbose')).text).toMatch(/livez check passed\n$/);
      expect((await node.get('/metrics')).text).toMatch(/^ringraft_is_leader\{cluster="c1",node="c1-n1"\} 1$/m);
      node.close();
    });
  });
});
