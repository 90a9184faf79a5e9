import { Controller } from '@nestjs/common';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { GrpcStreamCall } from '@nestjs/microservices';
import type { SaveRequest, SaveResponse } from '@app/rpc';
import { BackupDesk } from './backup-desk.js';

/** admin.v1.Backup */
@Controller()
export class BackupController {
  constructor(private readonly desk: BackupDesk) {}

  @GrpcStreamCall('Backup', 'Save')
  save(call: ServerWritableStream<SaveRequest, SaveResponse>): void {
    void this.desk.serve(call);
  }
}
