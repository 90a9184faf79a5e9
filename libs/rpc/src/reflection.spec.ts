import { resolve } from 'node:path';
import { credentials, loadPackageDefinition, type Client, type ClientDuplexStream } from '@grpc/grpc-js';
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

/** What any reflection client knows: the protocol itself, from the package's own .proto. */
const protocol = loadPackageDefinition(
  loadSync(resolve('node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto')),
) as unknown as {
  grpc: {
    reflection: {
      v1: {
        ServerReflection: new (
          address: string,
          channelCredentials: unknown,
        ) => Client & { serverReflectionInfo(): ReflectionStream };
      };
    };
  };
};

describe('server reflection', () => {
  let server: LoopbackServer;
  const ask = (question: object) =>
    new Promise<ReflectionAnswer>((answer, reject) => {
      const client = new protocol.grpc.reflection.v1.ServerReflection(server.address, credentials.createInsecure());
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

  it('lists exactly the services that it was told of', async () => {
    const answer = await ask({ listServices: '*' });
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
