import type { Server } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { DESCRIPTOR_SET_BASE64 } from './gen/descriptor-set.js';

/**
 * Adds gRPC server reflection (v1 and v1alpha) for `services`, full names such as `kv.v1.KeyValue`: tools such as
 * grpcurl can then call the server without the .proto files. Name only what the server serves.
 */
export function addReflection(server: Pick<Server, 'addService'>, services: readonly string[]): void {
  const descriptors = loadFileDescriptorSetFromBuffer(Buffer.from(DESCRIPTOR_SET_BASE64, 'base64'));
  new ReflectionService(descriptors, { services: [...services] }).addToServer(server);
}
