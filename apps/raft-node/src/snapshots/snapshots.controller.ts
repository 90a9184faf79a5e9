import { Controller } from '@nestjs/common';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { GrpcStreamCall } from '@nestjs/microservices';
import type { InstallSnapshotRequest, InstallSnapshotResponse } from '@app/rpc';
import { SnapshotReceiver } from './snapshot-receiver.js';

/** raft.v1.Snapshots */
@Controller()
export class SnapshotsController {
  constructor(private readonly receiver: SnapshotReceiver) {}

  @GrpcStreamCall('Snapshots', 'InstallSnapshot')
  installSnapshot(call: ServerDuplexStream<InstallSnapshotRequest, InstallSnapshotResponse>): void {
    void this.receiver.serve(call);
  }
}
