import type { Socket } from 'node:net';
import { STATUS_CODES, type IncomingHttpHeaders } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RingraftError } from '@app/rpc';
import type { GatewayConfig } from '../gateway.config.js';
import { GatewayMetrics } from '../ops/gateway-metrics.js';
import { RequestLog } from '../ops/request-log.js';
import { RequestTrace } from '../routing/request-trace.js';
import type { HttpReply, HttpRequest } from './http-types.js';
import { protectKeys } from './key-codec.js';
import { PROBLEM_TYPE, problemOf, sendProblem } from './problem.js';
import { REQUEST_ID_HEADER, RequestIds, givenId } from './request-ids.js';
import type { RouteTable } from './route-table.js';

/** How long a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 30_000;

/** How soon a connection without a request is noticed while the server closes. */
const CLOSING_SWEEP_MS = 20;

/** Beside the encoded key in the request line: all other headers together. */
const HEADER_BYTES_MAX = 16 * 1024;

/**
 * The HTTP server: keys reach the handlers as they were sent, bodies as bytes whatever their type, and what is refused
 * before any handler runs is refused in the same form as everything else.
 */
export function createHttpAdapter(config: GatewayConfig, routes: RouteTable): FastifyAdapter {
  const encodedKeyBytesMax = 3 * config.keyBytesMax;
  const ids = new RequestIds();
  const adapter = new FastifyAdapter({
    bodyLimit: classicFormBytesMax(config),
    rewriteUrl: (request: { readonly url?: string | undefined }) => protectKeys(request.url ?? '/'),
    routerOptions: { maxParamLength: encodedKeyBytesMax + HEADER_BYTES_MAX },
    http: { maxHeaderSize: encodedKeyBytesMax + HEADER_BYTES_MAX, requestTimeout: REQUEST_TIMEOUT_MS },
    // While the server closes, what is on its way is served; nothing new is accepted.
    return503OnClosing: false,
    skipMiddie: true,
    genReqId: ({ headers }: { readonly headers: IncomingHttpHeaders }) => ids.idOf(headers),
    frameworkErrors: (error: Error, { id }: { readonly id: string }, reply: unknown) => {
      const refusal = new RingraftError('INVALID_REQUEST', `path: ${error.message}`);
      sendProblem((reply as HttpReply).header(REQUEST_ID_HEADER, id), refusal, id);
    },
    clientErrorHandler: refuseConnection,
  });
  const server = adapter.getInstance();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.addHook('preClose', (done) => {
    // A connection whose request ends only now would otherwise be kept for the client's next one.
    const sweep = setInterval(() => server.server.closeIdleConnections(), CLOSING_SWEEP_MS);
    server.server.once('close', () => clearInterval(sweep));
    done();
  });
  server.addHook('onRoute', ({ url, method }) => routes.add(url, [method].flat()));
  return adapter;
}

/** Names, counts and logs every request, also those that no handler saw. */
export function watchRequests(adapter: FastifyAdapter, metrics: GatewayMetrics, log: RequestLog): void {
  const server = adapter.getInstance();
  server.decorateRequest('trace', null);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID_HEADER, request.id);
    const traced = request as unknown as { trace: RequestTrace };
    traced.trace = new RequestTrace(request.id, log.isDetailed || givenId(request.headers) !== undefined);
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const { statusCode: status, elapsedTime: durationMs } = reply;
    const route = request.routeOptions.url ?? 'none';
    metrics.requestDuration.observe({ route: `${method} ${route}`, outcome: outcomeOf(status) }, durationMs / 1_000);
    log.ended({ method, route, status, durationMs }, (request as unknown as HttpRequest).trace);
    done();
  });
}

/** In the worst case every byte of the form is percent-encoded, and the key is in it twice. */
function classicFormBytesMax({ keyBytesMax, valueBytesMax }: GatewayConfig): number {
  return 3 * (2 * keyBytesMax + valueBytesMax) + 1_024;
}

function outcomeOf(status: number): string {
  if (status < 400) return 'applied';
  return status === 500 || status === 504 ? 'unknown' : 'not_applied';
}

/** What the HTTP parser could not read has no request and no reply, only a socket. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const refusal = new RingraftError('INVALID_REQUEST', STATUS_CODES[status] ?? 'Bad Request');
  const body = JSON.stringify(problemOf(refusal, undefined, status));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
