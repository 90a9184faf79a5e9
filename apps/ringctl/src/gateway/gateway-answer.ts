import type { IncomingHttpHeaders } from 'node:http';

export interface GatewayAnswer {
  /** The endpoint that answered. */
  readonly endpoint: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
