import { Controller } from '@nestjs/common';
import type { Metadata, ServerWritableStream } from '@grpc/grpc-js';
import { GrpcMethod } from '@nestjs/microservices';
import { NEVER, type Observable } from 'rxjs';
import type { SaveRequest, SaveResponse } from '@app/rpc';
import { BackupDesk } from './backup-desk.js';

/** admin.v1.Backup */
@Controller()
export class BackupController {
  constructor(private readonly desk: BackupDesk) {}

  /** An observable knows no back pressure, so the desk writes to the call itself, and ends it. */
  @GrpcMethod('Backup', 'Save')
  save(
    _request: SaveRequest,
    _metadata: Metadata,
    call: ServerWritableStream<SaveRequest, SaveResponse>,
  ): Observable<SaveResponse> {
    void this.desk.serve(call);
    return NEVER;
  }
}
