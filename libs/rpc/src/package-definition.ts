import { type loadPackageDefinition, type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';

export type PackageDefinition = Parameters<typeof loadPackageDefinition>[0];

/**
 * Turns generated service definitions into the `packageDefinition` that Nest's gRPC transport takes, so that no .proto
 * file is read at run time. Methods are named as in the .proto (`RequestVote`), which is what
 * `@GrpcMethod('Election')` makes of a method called `requestVote`.
 */
export function toPackageDefinition(...services: ServiceDefinition[]): PackageDefinition {
  const packageDefinition: PackageDefinition = {};
  for (const service of services) {
    for (const [key, method] of Object.entries(service) as [string, MethodDefinition<object, object>][]) {
      const [, serviceName = '', rpcName = ''] = method.path.split('/');
      const methods = (packageDefinition[serviceName] ??= {}) as Record<string, MethodDefinition<object, object>>;
      methods[rpcName] = { ...method, originalName: key };
    }
  }
  return packageDefinition;
}
