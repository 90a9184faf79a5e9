import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { Metadata, makeGenericClientConstructor, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { encodeCommand } from '@app/kv';
import { ExecuteStream, Outcome } from '@app/rpc';
import { sendRaw } from '../support/raw-socket.js';
import { TestSystem } from '../support/test-system.js';

const SILENCE_MS = 500;
const MIB = 1024 * 1024;

/** The same bytes in every run. */
function noise(seed: number, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    createHash('sha256').update(`${seed}/${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

/** HTTP/2: the client's preface, and frames (RFC 9113, 3.4 and 4.1). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

function frame(type: number, flags: number, streamId: number, payload: Uint8Array, length = payload.length): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

const SETTINGS = frame(4, 0, 0, Buffer.alloc(0));

const RAW_INPUTS: readonly { readonly what: string; readonly bytes: Buffer }[] = [
  ...[1, 2, 3, 4, 5].map((seed) => ({ what: `noise ${seed}`, bytes: noise(seed, 10_000 * seed) })),
  { what: 'nothing', bytes: Buffer.alloc(0) },
  { what: 'zeros', bytes: Buffer.alloc(100_000) },
  { what: 'the first half of an HTTP/2 preface', bytes: PREFACE.subarray(0, 12) },
  { what: 'an HTTP/2 preface and noise', bytes: Buffer.concat([PREFACE, noise(6, 5_000)]) },
  {
    what: 'an HTTP/2 frame that announces 16 MiB',
    bytes: Buffer.concat([PREFACE, SETTINGS, frame(0, 0, 1, Buffer.alloc(10), 0xffffff)]),
  },
  { what: 'HTTP/2 headers that are noise', bytes: Buffer.concat([PREFACE, SETTINGS, frame(1, 4, 1, noise(7, 500))]) },
  {
    what: 'HTTP/2 data for a stream that is not open',
    bytes: Buffer.concat([PREFACE, SETTINGS, frame(0, 1, 7, noise(8, 500))]),
  },
  { what: 'half a request line', bytes: Buffer.from('PUT /v1/kv/ha') },
  { what: 'half the headers', bytes: Buffer.from('PUT /v1/kv/half HTTP/1.1\r\nHost: x\r\nContent-Le') },
  {
    what: 'half a body',
    bytes: Buffer.from('PUT /v1/kv/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf'),
  },
  {
    what: 'a chunk that is no chunk',
    bytes: Buffer.from('PUT /v1/kv/half HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\nhalf'),
  },
  {
    what: 'two lengths',
    bytes: Buffer.from('PUT /v1/kv/half HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nhalf!'),
  },
  {
    what: 'a negative length',
    bytes: Buffer.from('PUT /v1/kv/half HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nhalf'),
  },
  {
    what: 'a length of 10 TB',
    bytes: Buffer.from('PUT /v1/kv/half HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000000\r\n\r\nhalf'),
  },
  { what: 'headers without end', bytes: Buffer.from(`GET / HTTP/1.1\r\n${'X-Header: value\r\n'.repeat(20_000)}`) },
  { what: 'a path of 1 MB', bytes: Buffer.from(`GET /v1/kv/${'a'.repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`) },
  { what: 'a method that is none', bytes: Buffer.from('BREW /v1/kv/half HTTP/1.1\r\nHost: x\r\n\r\n') },
  { what: 'no HTTP version', bytes: Buffer.from('GET /v1/kv/half\r\n\r\n') },
];

/** Sends bytes as the message of a call; no client of ours could. */
const RawClient = makeGenericClientConstructor({}, 'raw');

function callRaw(address: string, path: string, message: Buffer): Promise<ServiceError | undefined> {
  const client = new RawClient(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 });
  const asIs = (bytes: Buffer): Buffer => bytes;
  return new Promise<ServiceError | undefined>((resolve) => {
    client.makeUnaryRequest(path, asIs, asIs, message, new Metadata(), { deadline: Date.now() + 20_000 }, (error) =>
      resolve(error ?? undefined),
    );
  }).finally(() => client.close());
}

describe('input that nobody should send', () => {
  let system: TestSystem;
  let pids: (number | undefined)[];

  const currentPids = (): (number | undefined)[] =>
    [...system.cluster.nodes, ...system.cluster.gateways].map(({ pid }) => pid);

  const grpcAddress = (): string => system.cluster.nodes[0]!.address;

  /** The same processes still serve, reads and writes. */
  async function expectAllWell(): Promise<void> {
    const value = `after ${Math.random()}`;
    expect((await system.http().put('/v1/kv/well', value)).status).toBeLessThan(300);
    expect((await system.http().get('/v1/kv/well')).text).toBe(value);
    expect(currentPids()).toEqual(pids);
  }

  beforeAll(async () => {
    system = await TestSystem.start({ clusters: 1, nodes: 1, gateways: 1 });
    pids = currentPids();
  }, 120_000);

  afterAll(() => system?.dispose(), 60_000);

  afterEach(expectAllWell);

  it.each(['the gRPC port of a node', 'the HTTP port of a node', 'the HTTP port of a gateway'])(
    'does no harm to %s',
    async (port) => {
      const node = system.cluster.nodes[0]!;
      const target = {
        'the gRPC port of a node': node.address,
        'the HTTP port of a node': node.opsUrl.slice('http://'.length),
        'the HTTP port of a gateway': system.cluster.gateways[0]!.url.slice('http://'.length),
      }[port]!;
      const answers = await Promise.all(RAW_INPUTS.map(({ bytes }) => sendRaw(target, bytes, SILENCE_MS)));
      expect(currentPids()).toEqual(pids);
      // What is answered over HTTP at all is refused as the caller's fault.
      const taken = answers.map((answer) => answer.toString('latin1')).filter((text) => /^HTTP\/1.1 [^4]/.test(text));
      expect(taken).toEqual([]);
      // Nothing of a request that was never finished may have been carried out.
      expect((await system.http().get('/v1/kv/half')).status).toBe(404);
    },
    60_000,
  );

  it('answers 1,000 requests that come at once, in order', async () => {
    const target = system.cluster.gateways[0]!.url.slice('http://'.length);
    const request = 'GET /v1/limits HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await sendRaw(target, Buffer.from(request.repeat(1_000)));
    expect(answer.toString('latin1').match(/HTTP\/1.1 200 OK/g)).toHaveLength(1_000);
  }, 30_000);

  it('keeps serving while connections are open on which nothing happens', async () => {
    const targets = [grpcAddress(), system.cluster.gateways[0]!.url.slice('http://'.length)];
    const sockets = targets.flatMap((target) => {
      const [host, port] = target.split(':');
      return Array.from({ length: 100 }, () => connect(Number(port), host));
    });
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await expectAllWell();
    for (const socket of sockets) socket.destroy();
  }, 30_000);

  describe('as commands in Execute', () => {
    const command = {
      kind: 'set',
      key: Buffer.from('half'),
      value: Buffer.from('value'),
      contentType: 'text/plain',
      ttlMs: 1_000,
    } as const;
    const whole = encodeCommand({ ...command, session: { clientId: 1, sequence: 1, acknowledgedBelow: 1 } });
    const commands = [
      ...Array.from({ length: whole.length }, (_, length) => whole.subarray(0, length)),
      ...Array.from({ length: 300 }, (_, seed) => noise(seed, 1 + (seed % 90))),
      ...Array.from({ length: 256 }, (_, kind) => Buffer.concat([Buffer.of(1, kind), noise(kind, 20)])),
      Buffer.concat([whole, Buffer.of(0)]),
      encodeCommand({ kind: 'expire', keys: [Buffer.from('well')] }),
      noise(9, MIB),
    ];

    it('is refused, surely not applied, one by one', async () => {
      const { channel } = system.grpc(system.cluster.nodes[0]!);
      const stream = new ExecuteStream(channel);
      const run = async (bytes: Uint8Array): Promise<{ code: string; outcome: Outcome }> => {
        const { code, outcome } = await stream.execute({ command: bytes, timeoutMs: 20_000 });
        return { code, outcome };
      };
      const results = await Promise.all(commands.map(run));
      const newer = await run(Buffer.concat([Buffer.of(2), whole.subarray(1)]));
      stream.close();
      const others = results.filter(({ code }) => code !== 'INVALID_REQUEST' && code !== 'UNSUPPORTED');
      expect(others).toEqual([]);
      expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set([Outcome.NOT_APPLIED]));
      // What is cut short is malformed; what is of another version is only not known here.
      expect(results.slice(0, whole.length).every(({ code }) => code === 'INVALID_REQUEST')).toBe(true);
      expect(newer).toEqual({ code: 'UNSUPPORTED', outcome: Outcome.NOT_APPLIED });
      expect((await system.http().get('/v1/kv/half')).status).toBe(404);
    }, 60_000);

    it('is refused when key or value is too large, with the limit', async () => {
      const client = system.grpc(system.cluster.nodes[0]!);
      const tooLarge = await client.execute({ ...command, value: Buffer.alloc(MIB + 1) });
      expect(tooLarge).toMatchObject({ code: 'VALUE_TOO_LARGE' });
      expect(tooLarge.detail).toContain(String(MIB));
      const tooLong = await client.execute({ ...command, key: Buffer.alloc(4_097) });
      expect(tooLong).toMatchObject({ code: 'KEY_TOO_LONG' });
      expect(tooLong.detail).toContain('4096');
    }, 30_000);
  });

  describe('as messages of gRPC calls', () => {
    const PATHS = [
      '/kv.v1.KeyValue/Get',
      '/kv.v1.KeyValue/Set',
      '/kv.v1.KeyValue/Delete',
      '/kv.v1.KeyValue/Execute',
      '/raft.v1.Election/RequestVote',
      '/raft.v1.Replication/AppendEntries',
      '/grpc.health.v1.Health/Check',
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    ];

    it.each(PATHS)(
      'fails the call of %s',
      async (path) => {
        for (let seed = 1; seed <= 10; seed++) {
          // Field 15 of wire type 7, which does not exist: no protobuf message begins so.
          const message = Buffer.concat([Buffer.of(0x7f), noise(seed, 10 * seed)]);
          expect(await callRaw(grpcAddress(), path, message)).toBeDefined();
        }
      },
      30_000,
    );

    it('fails a call whose numbers are above what JavaScript counts exactly', async () => {
      // ttl_ms = 2^63, as a varint in field 4 of SetRequest.
      const message = Buffer.from('0a0468616c662080808080808080808001', 'hex');
      expect(await callRaw(grpcAddress(), '/kv.v1.KeyValue/Set', message)).toBeDefined();
      expect((await system.http().get('/v1/kv/half')).status).toBe(404);
    });

    it('refuses a message of 17 MiB', async () => {
      const error = await callRaw(grpcAddress(), '/kv.v1.KeyValue/Set', Buffer.alloc(17 * MIB));
      expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    }, 30_000);

    it('knows no other method and no other service', async () => {
      for (const path of ['/kv.v1.KeyValue/Drop', '/kv.v2.KeyValue/Get', '/']) {
        expect((await callRaw(grpcAddress(), path, Buffer.alloc(0)))?.code).toBe(status.UNIMPLEMENTED);
      }
    });
  });
});
