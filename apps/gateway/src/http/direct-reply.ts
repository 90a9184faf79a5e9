import type { ServerResponse } from 'node:http';
import type { HttpReply } from './http-types.js';
import type { LeaveTaking } from './leave-taking.js';

/** An answer straight into the response of `node:http`, the same to the byte as Fastify's. Not for HEAD. */
export class DirectReply implements HttpReply {
  /** Name, value, name, value ... */
  private readonly headers: string[] = [];

  constructor(
    private readonly response: ServerResponse,
    private readonly leaveTaking: LeaveTaking,
  ) {}

  code(status: number): this {
    this.response.statusCode = status;
    return this;
  }

  header(name: string, value: string): this {
    const { headers } = this;
    const lowerCase = name.toLowerCase();
    for (let at = 0; at < headers.length; at += 2) {
      if (headers[at] !== lowerCase) continue;
      headers[at + 1] = value;
      return this;
    }
    headers.push(lowerCase, value);
    return this;
  }

  send(body?: Buffer | string): this {
    const { response, headers } = this;
    const { statusCode } = response;
    if (this.leaveTaking.hasBegun) this.header('connection', 'close');
    if (body !== undefined) this.header('content-length', String(Buffer.byteLength(body)));
    else if (statusCode !== 204 && statusCode !== 304) this.header('content-length', '0');
    response.writeHead(statusCode, headers).end(body);
    return this;
  }
}
