import { resolve } from 'node:path';
import { credentials, loadPackageDefinition, type Client, type ClientDuplexStream } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
}

/** What any reflection client knows: the protocol itself, from the package's own .proto. */
const PROTO = 'node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto';

interface ReflectionClient extends Client {
  serverReflectionInfo(): ClientDuplexStream<object, ReflectionAnswer>;
}

interface Protocol {
  readonly grpc: {
    readonly reflection: {
      readonly v1: { readonly ServerReflection: new (address: string, security: unknown) => ReflectionClient };
    };
  };
}

/** The full names of the gRPC services that the server at `address` (host:port) lists, sorted. */
export function listServices(address: string): Promise<string[]> {
  const { grpc } = loadPackageDefinition(loadSync(resolve(PROTO))) as unknown as Protocol;
  const client = new grpc.reflection.v1.ServerReflection(address, credentials.createInsecure());
  return new Promise<string[]>((done, reject) => {
    const stream = client.serverReflectionInfo();
    stream.on('data', ({ listServicesResponse }: ReflectionAnswer) => {
      done((listServicesResponse?.service ?? []).map(({ name }) => name).sort());
      stream.end();
    });
    stream.on('error', reject);
    stream.write({ listServices: '*' });
  }).finally(() => client.close());
}
