import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  status,
  type MethodDefinition,
  type Server,
  type ServerDuplexStream,
  type ServiceDefinition,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { DESCRIPTOR_SET_BASE64 } from './gen/descriptor-set.js';

type Method = MethodDefinition<object, object>;
type Handler = (stream: object) => void;
type RawStream = ServerDuplexStream<Buffer, Buffer>;

interface LoadedMethod {
  readonly definition: Method;
  readonly handler: Handler;
}

const METHOD = 'ServerReflectionInfo';
const PATHS = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/${METHOD}`);

/**
 * Adds gRPC server reflection (v1 and v1alpha) for `services`, full names such as `kv.v1.KeyValue`: tools such as
 * grpcurl can then call the server without the .proto files. Name only what the server serves.
 *
 * What answers is loaded when the first question comes: it takes a quarter of a second of CPU time, which few servers are ever asked for.
 */
export function addReflection(server: Pick<Server, 'addService'>, services: readonly string[]): void {
  let loading: Promise<ReadonlyMap<string, LoadedMethod>> | undefined;
  for (const path of PATHS) {
    const asItIs = (bytes: Buffer): Buffer => bytes;
    const definition: MethodDefinition<Buffer, Buffer> = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    };
    const handle = (stream: RawStream): void => {
      (loading ??= loadMethods(services)).then(
        (methods) => answer(stream, methods.get(path)!),
        (error: unknown) => fail(stream, status.INTERNAL, String(error)),
      );
    };
    server.addService({ [METHOD]: definition }, { [METHOD]: handle as UntypedHandleCall });
  }
}

/** In steps, between which the server goes on with its work. */
async function loadMethods(services: readonly string[]): Promise<ReadonlyMap<string, LoadedMethod>> {
  const { ReflectionService } = await import('@grpc/reflection');
  await nextTurn();
  const descriptors = loadFileDescriptorSetFromBuffer(Buffer.from(DESCRIPTOR_SET_BASE64, 'base64'));
  await nextTurn();
  const reflection = new ReflectionService(descriptors, { services: [...services] });
  await nextTurn();
  const methods = new Map<string, LoadedMethod>();
  reflection.addToServer({
    addService(service: ServiceDefinition, implementation: Record<string, unknown>) {
      const definition = service[METHOD] as Method;
      methods.set(definition.path, { definition, handler: implementation[METHOD] as Handler });
    },
  });
  return methods;
}

function answer(stream: RawStream, { definition, handler }: LoadedMethod): void {
  let hasFailed = false;
  handler({
    on(event: 'data' | 'end', listener: (message?: object) => void) {
      if (event === 'end') return stream.on('end', listener);
      return stream.on('data', (bytes: Buffer) => {
        if (hasFailed) return;
        let question: object;
        try {
          question = definition.requestDeserialize(bytes);
        } catch (error) {
          hasFailed = true;
          return fail(stream, status.INTERNAL, `Error deserializing request: ${String(error)}`);
        }
        listener(question);
      });
    },
    write: (response: object) => stream.write(definition.responseSerialize(response)),
    end: () => stream.end(),
  });
}

function fail(stream: RawStream, code: status, details: string): void {
  stream.emit('error', { code, details });
}
