import { Controller, Inject, UseFilters } from '@nestjs/common';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { GrpcMethod, GrpcStreamCall } from '@nestjs/microservices';
import { LOG, type Log } from '@app/platform';
import {
  assertCluster,
  serveExecute,
  toServiceError,
  type DeleteRequest,
  type DeleteResponse,
  type ExecuteRequest,
  type ExecuteResponse,
  type GetRequest,
  type GetResponse,
  type OpenSessionRequest,
  type OpenSessionResponse,
  type SetRequest,
  type SetResponse,
} from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RpcErrorFilter } from '../rpc-error.filter.js';
import { KeyValueService } from './key-value.service.js';
import { UnaryOperations } from './unary-operations.js';

/** kv.v1.KeyValue */
@Controller()
@UseFilters(RpcErrorFilter)
export class KeyValueController {
  constructor(
    private readonly service: KeyValueService,
    private readonly unary: UnaryOperations,
    private readonly directory: PeerDirectory,
    @Inject(LOG) private readonly log: Log,
  ) {}

  @GrpcStreamCall('KeyValue', 'Execute')
  execute(call: ServerDuplexStream<ExecuteRequest, ExecuteResponse>): void {
    try {
      assertCluster(call.metadata, this.directory.clusterId);
    } catch (error) {
      call.emit('error', toServiceError(error));
      return;
    }
    serveExecute(call, {
      handle: (operation, respond) => this.service.execute(operation, respond),
      failed: (error) => this.log.error({ err: error }, 'an operation failed unexpectedly'),
    });
  }

  @GrpcMethod('KeyValue', 'OpenSession')
  openSession(request: OpenSessionRequest): Promise<OpenSessionResponse> {
    return this.unary.openSession(request);
  }

  @GrpcMethod('KeyValue', 'Get')
  get(request: GetRequest): Promise<GetResponse> {
    return this.unary.get(request);
  }

  @GrpcMethod('KeyValue', 'Set')
  set(request: SetRequest): Promise<SetResponse> {
    return this.unary.set(request);
  }

  @GrpcMethod('KeyValue', 'Delete')
  delete(request: DeleteRequest): Promise<DeleteResponse> {
    return this.unary.delete(request);
  }
}
