import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export const REQUEST_ID_HEADER = 'X-Request-Id';

/** What may stand in logs, headers and frames as it is: UUIDs, trace ids and the like, not whole sentences. */
const GIVEN = /^[\w.:/+=@-]{1,128}$/;

/** The id that the client gave its request. One that is not fit to be passed on is passed over: an id is no reason to refuse a request. */
export function givenId(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && GIVEN.test(given) ? given : undefined;
}

/** Ids for requests without one: unique among all gateways, and in the order of their arrival at this one. */
export class RequestIds {
  private readonly prefix = randomBytes(6).toString('hex');
  private last = 0;

  idOf(headers: IncomingHttpHeaders): string {
    return givenId(headers) ?? `${this.prefix}-${(this.last += 1).toString(36)}`;
  }
}
