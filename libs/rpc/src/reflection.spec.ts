import { resolve } from 'node:path';
import { Client, credentials, loadPackageDefinition, status, type ClientDuplexStream } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { HealthService, type HealthServer } from './gen/health.js';
import { KeyValueService } from './gen/kv.js';
import { toPackageDefinition } from './package-definition.js';
import { addReflection } from './reflection.js';
import { startLoopbackServer, type LoopbackServer } from './testing/loopback-server.js';

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly errorResponse?: { readonly errorMessage: string };
}
type ReflectionStream = ClientDuplexStream<object, ReflectionAnswer>;

type Version = 'v1' | 'v1alpha';
type ReflectionClient = new (
  address: string,
  channelCredentials: unknown,
) => Client & { serverReflectionInfo(): ReflectionStream };

/** What any reflection client knows: the protocol itself, from the package's own .proto. */
function clientOf(version: Version): ReflectionClient {
  const { grpc } = loadPackageDefinition(
    loadSync(resolve(`node_modules/@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`)),
  ) as unknown as { grpc: { reflection: Record<Version, { ServerReflection: ReflectionClient }> } };
  return grpc.reflection[version].ServerReflection;
}

const clients = { v1: clientOf('v1'), v1alpha: clientOf('v1alpha') };

describe('server reflection', () => {
  let server: LoopbackServer;
  const ask = (question: object, version: Version = 'v1') =>
    new Promise<ReflectionAnswer>((answer, reject) => {
      const client = new clients[version](server.address, credentials.createInsecure());
      const stream = client.serverReflectionInfo();
      stream.on('data', (response: ReflectionAnswer) => {
        answer(response);
        stream.end();
      });
      stream.on('error', reject);
      stream.on('status', () => client.close());
      stream.write(question);
    });

  beforeAll(async () => {
    const health: HealthServer = {
      check: (_call, callback) => callback(null, { status: 1 }),
      watch: (call) => call.end(),
    };
    server = await startLoopbackServer((grpc) => {
      grpc.addService(HealthService, health);
      addReflection(grpc, ['kv.v1.KeyValue', 'grpc.health.v1.Health']);
    });
  });
  afterAll(() => server.kill());

  it.each(['v1', 'v1alpha'] as const)('lists exactly the services that it was told of in %s', async (version) => {
    const answer = await ask({ listServices: '*' }, version);
    expect(answer.listServicesResponse?.service.map(({ name }) => name).sort()).toEqual([
      'grpc.health.v1.Health',
      'kv.v1.KeyValue',
    ]);
  });

  it.each([['kv.v1.KeyValue'], ['kv.v1.SetRequest'], ['kv.v1.Condition'], ['grpc.health.v1.Health']])(
    'describes %s',
    async (symbol) => {
      const answer = await ask({ fileContainingSymbol: symbol });
      expect(answer.errorResponse).toBeUndefined();
      const file = Buffer.concat(answer.fileDescriptorResponse?.fileDescriptorProto ?? []);
      expect(file.includes(symbol.split('.').at(-1) ?? '')).toBe(true);
    },
  );
});

describe('server reflection, asked at once by many', () => {
  let server: LoopbackServer;
  beforeAll(async () => {
    server = await startLoopbackServer((grpc) => addReflection(grpc, ['kv.v1.KeyValue']));
  });
  afterAll(() => server.kill());

  /** Sends the messages in one call, and resolves with the code that it ended with and the number of its answers. */
  const call = (messages: readonly Buffer[]) =>
    new Promise<{ code: status; answers: number }>((resolve) => {
      const client = new Client(server.address, credentials.createInsecure());
      const asItIs = (bytes: Buffer): Buffer => bytes;
      const stream = client.makeBidiStreamRequest(
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        asItIs,
        asItIs,
      );
      let answers = 0;
      stream.on('data', () => answers++);
      stream.on('error', () => undefined);
      stream.on('status', ({ code }) => {
        client.close();
        resolve({ code, answers });
      });
      for (const message of messages) stream.write(message);
      stream.end();
    });
  /** Field 7, list_services, is "*". */
  const LIST = Buffer.from('3a012a', 'hex');
  /** Field 15 of wire type 7, which does not exist. */
  const NONSENSE = Buffer.from('7f', 'hex');

  it('answers every question of a call that began before it was loaded', async () => {
    expect(await Promise.all([call([LIST]), call([LIST, LIST, LIST]), call([])])).toEqual([
      { code: status.OK, answers: 1 },
      { code: status.OK, answers: 3 },
      { code: status.OK, answers: 0 },
    ]);
  });

  it('ends the call of a message that is none, and goes on', async () => {
    expect(await call([LIST, NONSENSE, LIST])).toMatchObject({ code: status.INTERNAL });
    expect(await call([LIST])).toEqual({ code: status.OK, answers: 1 });
  });
});

describe('toPackageDefinition', () => {
  it('names services and methods as the .proto does', () => {
    const definition = toPackageDefinition(KeyValueService, HealthService);
    expect(Object.keys(definition)).toEqual(['kv.v1.KeyValue', 'grpc.health.v1.Health']);
    expect(Object.keys(definition['kv.v1.KeyValue'] ?? {})).toEqual(['OpenSession', 'Get', 'Set', 'Delete', 'Execute']);
    expect(definition['kv.v1.KeyValue']).toMatchObject({
      Execute: { path: '/kv.v1.KeyValue/Execute', requestStream: true, responseStream: true, originalName: 'execute' },
    });
  });
});
