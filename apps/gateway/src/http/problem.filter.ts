import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Log } from '@app/platform';
import { RingraftError } from '@app/rpc';
import type { GatewayConfig } from '../gateway.config.js';
import { GatewayMetrics } from '../ops/gateway-metrics.js';
import { CLASSIC_PATH, sendClassicError } from './classic-answer.js';
import { emptyKey } from './key-codec.js';
import { pathOf, type HttpReply, type HttpRequest } from './http-types.js';
import { sendProblem } from './problem.js';
import type { RouteTable } from './route-table.js';

/** The one place where errors become HTTP: problem+json, or the shape of the classic interface on its path. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly config: GatewayConfig,
    private readonly log: Log,
    private readonly routes: RouteTable,
    private readonly metrics: GatewayMetrics,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(exception, http.getRequest<HttpRequest>(), http.getResponse<HttpReply>());
  }

  answer(exception: unknown, request: HttpRequest, reply: HttpReply): void {
    const error = this.errorOf(exception, request, reply);
    const { trace } = request;
    trace.code = error.code;
    this.metrics.errors.inc({ code: error.code });
    if (pathOf(request) === CLASSIC_PATH) sendClassicError(reply, error);
    else sendProblem(reply, error, trace.requestId);
  }

  private errorOf(exception: unknown, request: HttpRequest, reply: HttpReply): RingraftError {
    if (exception instanceof RingraftError) {
      if (exception.code === 'INTERNAL') this.logInternal(exception, request);
      return exception;
    }
    const status = exception instanceof HttpException ? exception.getStatus() : statusOf(exception);
    if (status === 404) return this.noRoute(request, reply);
    if (status === 413) return this.tooLarge(request);
    if (status === 415) return new RingraftError('UNSUPPORTED_MEDIA_TYPE', 'the Content-Type cannot be read');
    if (status >= 400 && status < 500) return new RingraftError('INVALID_REQUEST', (exception as Error).message);
    this.logInternal(exception, request);
    return new RingraftError('INTERNAL', 'unexpected error; the log of the gateway has the details');
  }

  private logInternal(err: unknown, { method, trace }: HttpRequest): void {
    this.log.error({ err, method, requestId: trace.requestId }, 'internal error');
  }

  private noRoute(request: HttpRequest, reply: HttpReply): RingraftError {
    const path = pathOf(request);
    const methods = this.routes.methodsOf(path);
    if (methods.length === 0) {
      const hint = path.startsWith('/v1/kv/') ? '; a slash inside a key is written %2F' : '';
      return new RingraftError('ROUTE_NOT_FOUND', `there is no such path${hint}`);
    }
    // The router knows path and method, and still did not match: it takes no empty segment.
    if (methods.includes(request.method)) return emptyKey();
    reply.header('Allow', methods.join(', '));
    return new RingraftError('METHOD_NOT_ALLOWED', `${request.method} is not one of ${methods.join(', ')}`);
  }

  /** The server stopped reading a body that is larger than any route takes. */
  private tooLarge({ headers }: HttpRequest): RingraftError {
    const actual = Number(headers['content-length']);
    return new RingraftError('VALUE_TOO_LARGE', 'the body is larger than any value may be', {
      limit: this.config.valueBytesMax,
      ...(Number.isSafeInteger(actual) && { actual }),
    });
  }
}

function statusOf(exception: unknown): number {
  const status = (exception as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : 500;
}
