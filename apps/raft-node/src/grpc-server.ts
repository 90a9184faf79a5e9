import type { Server } from '@grpc/grpc-js';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import {
  BackupService,
  ConsistencyService,
  ElectionService,
  HealthService,
  KeyValueService,
  MembershipService,
  ReplicationService,
  SERVER_OPTIONS,
  SnapshotsService,
  addReflection,
  toPackageDefinition,
} from '@app/rpc';

/** All that a node serves: for reflection, and for the health of each. */
export const SERVICE_NAMES: readonly string[] = [
  'raft.v1.Election',
  'raft.v1.Replication',
  'raft.v1.Snapshots',
  'raft.v1.Consistency',
  'kv.v1.KeyValue',
  'admin.v1.Membership',
  'admin.v1.Backup',
  'grpc.health.v1.Health',
];

/** All gRPC services of a node on one port, with server reflection. */
export function grpcServerOptions(listen: string): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      url: listen,
      package: ['raft.v1', 'kv.v1', 'admin.v1', 'grpc.health.v1'],
      packageDefinition: toPackageDefinition(
        ElectionService,
        ReplicationService,
        SnapshotsService,
        ConsistencyService,
        KeyValueService,
        MembershipService,
        BackupService,
        HealthService,
      ),
      channelOptions: SERVER_OPTIONS,
      onLoadPackageDefinition: (_definition: object, server: Server) => addReflection(server, SERVICE_NAMES),
      // The driver has finished or refused everything by then; streams of peers would stay open for ever.
      gracefulShutdown: false,
    },
  };
}
