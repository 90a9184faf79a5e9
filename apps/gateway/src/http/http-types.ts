import type { IncomingHttpHeaders } from 'node:http';
import type { RequestTrace } from '../routing/request-trace.js';
import { originForm } from './key-codec.js';

/** What our handlers use of a Fastify request. Its body is always bytes, whatever the Content-Type. */
export interface HttpRequest {
  readonly method: string;
  /** As it was sent. */
  readonly originalUrl: string;
  readonly headers: IncomingHttpHeaders;
  /** Undefined when there was none. */
  readonly body: Buffer | undefined;
  readonly trace: RequestTrace;
}

/** What our handlers use of a Fastify reply. */
export interface HttpReply {
  code(status: number): this;
  header(name: string, value: string): this;
  send(body?: Buffer | string): this;
}

export function pathOf(request: HttpRequest): string {
  const url = originForm(request.originalUrl);
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}
