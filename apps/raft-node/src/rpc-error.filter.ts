import { Catch, Inject, type RpcExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import { LOG, type Log } from '@app/platform';
import { RingraftError, toServiceError } from '@app/rpc';

/** Ends a unary gRPC call with the status that the error table has for its error. */
@Catch()
export class RpcErrorFilter implements RpcExceptionFilter {
  constructor(@Inject(LOG) private readonly log: Log) {}

  catch(error: unknown): Observable<never> {
    if (!(error instanceof RingraftError)) this.log.error({ err: error }, 'a call failed unexpectedly');
    return throwError(() => toServiceError(error));
  }
}
