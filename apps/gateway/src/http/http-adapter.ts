import type { Socket } from 'node:net';
import {
  STATUS_CODES,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RingraftError } from '@app/rpc';
import type { GatewayConfig } from '../gateway.config.js';
import type { RequestTrace } from '../routing/request-trace.js';
import { DirectRoute } from './direct-route.js';
import type { HttpReply } from './http-types.js';
import { protectKeys } from './key-codec.js';
import { PROBLEM_TYPE, problemOf, sendProblem } from './problem.js';
import { REQUEST_ID_HEADER, RequestIds } from './request-ids.js';
import type { RequestWatch } from './request-watch.js';
import type { RouteTable } from './route-table.js';

/** How long a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How soon after that it is noticed. */
const REQUEST_TIMEOUT_SWEEP_MS = 1_000;

/** How soon a connection without a request is noticed while the server closes. */
const CLOSING_SWEEP_MS = 20;

/** Beside the encoded key in the request line: all other headers together. */
const HEADER_BYTES_MAX = 16 * 1024;

/**
 * The HTTP server: keys reach the handlers as they were sent, bodies as bytes whatever their type, and what is refused
 * before any handler runs is refused in the same form as everything else.
 */
export function createHttpAdapter(
  config: GatewayConfig,
  routes: RouteTable,
): { readonly adapter: FastifyAdapter; readonly directRoute: DirectRoute } {
  const encodedKeyBytesMax = 3 * config.keyBytesMax;
  const bodyLimit = classicFormBytesMax(config);
  const ids = new RequestIds();
  const directRoute = new DirectRoute(ids, bodyLimit);
  const adapter = new FastifyAdapter({
    bodyLimit,
    rewriteUrl: (request: { readonly url?: string | undefined }) => protectKeys(request.url ?? '/'),
    routerOptions: { maxParamLength: encodedKeyBytesMax + HEADER_BYTES_MAX },
    http: {
      maxHeaderSize: encodedKeyBytesMax + HEADER_BYTES_MAX,
      // That of the headers follows from it; Fastify sets that of the whole.
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: REQUEST_TIMEOUT_SWEEP_MS,
    },
    requestTimeout: REQUEST_TIMEOUT_MS,
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
  askFirst(directRoute, server.server);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.addHook('preClose', (done) => {
    // A connection whose request ends only now would otherwise be kept for the client's next one.
    const sweep = setInterval(() => server.server.closeIdleConnections(), CLOSING_SWEEP_MS);
    server.server.once('close', () => clearInterval(sweep));
    done();
  });
  server.addHook('onRoute', ({ url, method }) => routes.add(url, [method].flat()));
  return { adapter, directRoute };
}

/**
 * What the direct route takes never reaches Fastify. Not by a `serverFactory`, whose servers Fastify binds and closes in another way than
 * its own.
 */
function askFirst(directRoute: DirectRoute, server: Server): void {
  const [fastify] = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request').on('request', (incoming, response) => {
    if (!directRoute.takes(incoming, response)) fastify!(incoming, response);
  });
}

/** Names every request, and lets it be counted and logged, also those that no handler saw. */
export function watchRequests(adapter: FastifyAdapter, watch: RequestWatch): void {
  const server = adapter.getInstance();
  server.decorateRequest('trace', null);
  server.addHook('onRequest', (request, reply, done) => {
    const { id, method, routeOptions, headers } = request;
    const traced = request as unknown as { trace: RequestTrace };
    traced.trace = watch.begun(id, method, routeOptions.url ?? 'none', headers, reply.raw);
    reply.header(REQUEST_ID_HEADER, id);
    done();
  });
}

/** In the worst case every byte of the form is percent-encoded, and the key is in it twice. */
function classicFormBytesMax({ keyBytesMax, valueBytesMax }: GatewayConfig): number {
  return 3 * (2 * keyBytesMax + valueBytesMax) + 1_024;
}

/**
 * What the HTTP parser could not read, or what did not come in time, is refused on the socket, and the connection ends there: a body that
 * went on would be a write after all. Nothing is said while an earlier request waits for its answer, which this would be taken for.
 */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable && !isAnswering(socket)) {
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
    const refusal = new RingraftError('INVALID_REQUEST', STATUS_CODES[status] ?? 'Bad Request');
    const body = JSON.stringify(problemOf(refusal, undefined, status));
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy();
}

/** Where Node's own handler looks, too: there is nothing public that tells. */
function isAnswering(socket: Socket): boolean {
  const { _httpMessage: response } = socket as Socket & { readonly _httpMessage?: ServerResponse | null };
  return response?.req.complete === true;
}
