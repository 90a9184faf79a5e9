import { Controller } from '@nestjs/common';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { GrpcStreamCall } from '@nestjs/microservices';
import type { AppendEntriesRequest, AppendEntriesResponse } from '@app/rpc';
import { LeaderStreams } from './leader-streams.js';

/** raft.v1.Replication */
@Controller()
export class ReplicationController {
  constructor(private readonly streams: LeaderStreams) {}

  @GrpcStreamCall('Replication', 'AppendEntries')
  appendEntries(call: ServerDuplexStream<AppendEntriesRequest, AppendEntriesResponse>): void {
    this.streams.serve(call);
  }
}
