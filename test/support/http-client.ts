import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as UTF-8. */
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  json<T = unknown>(): T;
}

export interface HttpCall {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  /** After which the call fails; 10 s unless given. */
  readonly timeoutMs?: number;
}

/**
 * An HTTP/1.1 client that sends paths and headers exactly as given: no normalising of percent-encoding, no header of
 * its own but Host, Connection and Content-Length. Connections are kept; `close` ends them.
 */
export class HttpClient {
  private readonly agent = new Agent({ keepAlive: true });

  /** `baseUrl` is `http://host:port`. */
  constructor(readonly baseUrl: string) {}

  call(method: string, path: string, { headers = {}, body, timeoutMs = 10_000 }: HttpCall = {}): Promise<HttpAnswer> {
    const { hostname, port } = new URL(this.baseUrl);
    const sent = body === undefined ? undefined : Buffer.from(body);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent: this.agent,
          host: hostname.replace(/^\[|\]$/g, ''),
          port,
          method,
          path,
          headers: { ...(sent && { 'content-length': sent.length }), ...headers },
          signal: AbortSignal.timeout(timeoutMs),
        },
        (incoming) => {
          const parts: Buffer[] = [];
          incoming.on('data', (part: Buffer) => parts.push(part));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const received = Buffer.concat(parts);
            const text = received.toString('utf8');
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: received,
              text,
              json: <T>() => JSON.parse(text) as T,
            });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(sent);
    });
  }

  get(path: string, call?: HttpCall): Promise<HttpAnswer> {
    return this.call('GET', path, call);
  }

  put(path: string, body: string | Uint8Array, call?: HttpCall): Promise<HttpAnswer> {
    return this.call('PUT', path, { ...call, body });
  }

  delete(path: string, call?: HttpCall): Promise<HttpAnswer> {
    return this.call('DELETE', path, call);
  }

  /** The classic interface: `POST /request` with the two form fields. */
  classic(key: string, classicRequest: string, call?: HttpCall): Promise<HttpAnswer> {
    return this.call('POST', '/request', {
      ...call,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...call?.headers },
      body: new URLSearchParams({ key, request: classicRequest }).toString(),
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
