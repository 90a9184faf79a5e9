import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '@app/platform';
import { RingraftError } from '@app/rpc';
import type { RequestTrace } from '../routing/request-trace.js';
import { DirectReply } from './direct-reply.js';
import { GetKeyQuery } from './dto/get-key.dto.js';
import { SetKeyQuery } from './dto/set-key.dto.js';
import type { HttpReply, HttpRequest } from './http-types.js';
import type { KvController } from './kv.controller.js';
import type { LeaveTaking } from './leave-taking.js';
import type { ProblemFilter } from './problem.filter.js';
import { REQUEST_ID_HEADER, type RequestIds } from './request-ids.js';
import type { RequestWatch } from './request-watch.js';

/** The name that the routers of Fastify and Nest know it by. */
const ROUTE = '/v1/kv/:key';

/** A path with a key in it and nothing else, in the characters that every router passes on as they are. */
const PATH = /^\/v1\/kv\/([\w.~!$&'()*+,:=@%-]+)$/;

/** A media type that no parser has a doubt about. */
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+(?:; ?charset=[\w-]+)?$/;

const PLAIN_GET = Object.freeze(new GetKeyQuery());
const PLAIN_PUT = Object.freeze(new SetKeyQuery());

/** What answers the requests: the very objects that Nest calls for all others. */
export interface DirectHandlers {
  readonly kv: Pick<KvController, 'get' | 'put'>;
  readonly problems: Pick<ProblemFilter, 'answer'>;
  readonly watch: RequestWatch;
  readonly leaveTaking: LeaveTaking;
  readonly log: Log;
}

/**
 * The short way of most requests, GET and PUT of one key without a query: from `node:http` to the controller, past the
 * routers, hooks and pipes of Fastify and Nest, which have nothing to do for them. What it does not take goes the long way and is answered the same.
 */
export class DirectRoute {
  private handlers: DirectHandlers | undefined;

  /** @param bodyBytesMax what the long way reads at most, in bytes: it refuses what is longer. */
  constructor(
    private readonly ids: RequestIds,
    private readonly bodyBytesMax: number,
  ) {}

  /** Until then it takes nothing. */
  open(handlers: DirectHandlers): void {
    this.handlers = handlers;
  }

  /** False, and nothing has happened, for what is to go the long way. */
  takes(incoming: IncomingMessage, response: ServerResponse): boolean {
    if (this.handlers === undefined) return false;
    const key = PATH.exec(incoming.url!)?.[1];
    if (key === undefined) return false;
    const { method, headers } = incoming;
    if (headers['transfer-encoding'] !== undefined) return false;
    if (method === 'GET') {
      if (headers['content-length'] !== undefined) return false;
      new DirectRequest(this.handlers, incoming, response, this.ids.idOf(headers)).get(key);
      return true;
    }
    if (method !== 'PUT' || !this.isPlainBody(headers)) return false;
    new DirectRequest(this.handlers, incoming, response, this.ids.idOf(headers)).put(key);
    return true;
  }

  private isPlainBody({ 'content-length': length, 'content-type': type }: IncomingHttpHeaders): boolean {
    return length !== undefined && Number(length) <= this.bodyBytesMax && (type === undefined || MEDIA_TYPE.test(type));
  }
}

class DirectRequest implements HttpRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: IncomingHttpHeaders;
  readonly trace: RequestTrace;
  body: Buffer | undefined;
  private readonly reply: HttpReply;

  constructor(
    private readonly handlers: DirectHandlers,
    private readonly incoming: IncomingMessage,
    private readonly response: ServerResponse,
    id: string,
  ) {
    const { watch, leaveTaking } = handlers;
    this.method = incoming.method!;
    this.originalUrl = incoming.url!;
    this.headers = incoming.headers;
    this.trace = watch.begun(id, this.method, ROUTE, this.headers, response);
    this.reply = new DirectReply(response, leaveTaking).header(REQUEST_ID_HEADER, id);
  }

  get(key: string): void {
    this.handlers.kv.get(key, PLAIN_GET, this, this.reply).catch((error: unknown) => this.refuse(error));
  }

  put(key: string): void {
    const parts: Buffer[] = [];
    this.incoming
      .on('data', (part: Buffer) => parts.push(part))
      .once('end', () => {
        this.body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
        this.handlers.kv.put(key, PLAIN_PUT, this, this.reply).catch((error: unknown) => this.refuse(error));
      })
      .once('error', (error) => this.refuse(new RingraftError('INVALID_REQUEST', `the body: ${error.message}`)));
  }

  /** The last resort of a request: what goes wrong here would otherwise end the process. */
  private refuse(error: unknown): void {
    try {
      this.handlers.problems.answer(error, this, this.reply);
    } catch (err) {
      this.handlers.log.error({ err, requestId: this.trace.requestId }, 'cannot answer');
      this.response.destroy();
    }
  }
}
