import { request as httpRequest, type Agent as HttpAgent, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest, type Agent as HttpsAgent } from 'node:https';
import { CommandFailure, failureOf } from '../command-failure.js';
import { EXIT } from '../exit-code.js';
import type { OperationOutcome } from '@app/rpc';
import type { GatewayAnswer } from './gateway-answer.js';
import { readProblem } from './problem.js';

/** Below it an attempt makes no sense; a deadline that is nearer ends the request. */
const ATTEMPT_MS_MIN = 50;

export interface GatewayRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** From the root of the endpoint, percent-encoded: `/v1/kv/a%2Fb`. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer;
  /** Of the whole request, all endpoints together. */
  readonly timeoutMs: number;
}

export interface GatewayAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** An attempt that gave no answer. */
class NoAnswer extends Error {
  constructor(
    readonly endpoint: string,
    readonly why: string,
    /** There was a connection: a write may have arrived. */
    readonly wasSent: boolean,
  ) {
    super(`${endpoint}: ${why}`);
  }
}

/**
 * Asks the gateways, in the order given: the next one when one does not answer, or says that it surely did nothing and another
 * might. A write that was sent and not answered is not sent again. Throws a `CommandFailure` when none is left.
 */
export class GatewayClient {
  constructor(
    /** `http://host:port`, at least one. */
    readonly endpoints: readonly string[],
    private readonly interrupted?: AbortSignal,
    /** Keeps connections for the next request; without one, each request has its own. */
    private readonly agents?: GatewayAgents,
  ) {}

  /** Whatever the status is. */
  async request(request: GatewayRequest): Promise<GatewayAnswer> {
    const deadline = performance.now() + request.timeoutMs;
    const silent: NoAnswer[] = [];
    let refused: GatewayAnswer | undefined;
    for (const [i, endpoint] of this.endpoints.entries()) {
      const left = deadline - performance.now();
      if (left < ATTEMPT_MS_MIN && i > 0) break;
      try {
        const answer = await this.attempt(endpoint, request, left / (this.endpoints.length - i));
        if (!isWorthAnother(answer)) return answer;
        refused = answer;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        if (error.wasSent && request.method !== 'GET') throw outcomeUnknown(error);
        silent.push(error);
      }
    }
    if (refused) return refused;
    throw nobodyAnswers(silent);
  }

  /** An answer of another status than 2xx becomes the failure that its problem+json tells of. */
  async expectSuccess(request: GatewayRequest): Promise<GatewayAnswer> {
    const answer = await this.request(request);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw failureOfAnswer(answer, request.method !== 'GET');
  }

  /** Asks all endpoints at once and takes the first good answer: for reads that may not wait for one that hangs. */
  async first(path: string, timeoutMs: number): Promise<GatewayAnswer> {
    const request: GatewayRequest = { method: 'GET', path, timeoutMs };
    const failures: NoAnswer[] = [];
    const attempts = this.endpoints.map(async (endpoint) => {
      try {
        const answer = await this.attempt(endpoint, request, timeoutMs);
        if (answer.status === 200) return answer;
        throw new NoAnswer(endpoint, readProblem(answer)?.detail ?? `HTTP ${answer.status}`, true);
      } catch (error) {
        if (error instanceof NoAnswer) failures.push(error);
        throw error;
      }
    });
    return Promise.any(attempts).catch(({ errors }: AggregateError) => {
      throw errors.find((error) => error instanceof CommandFailure) ?? nobodyAnswers(failures);
    });
  }

  /** One endpoint, once. */
  async ask(endpoint: string, path: string, timeoutMs: number): Promise<GatewayAnswer> {
    try {
      return await this.attempt(endpoint, { method: 'GET', path, timeoutMs }, timeoutMs);
    } catch (error) {
      throw error instanceof NoAnswer ? new Error(error.why) : error;
    }
  }

  private attempt(endpoint: string, request: GatewayRequest, timeoutMs: number): Promise<GatewayAnswer> {
    const base = new URL(endpoint);
    const { method, path, headers = {}, body } = request;
    return new Promise((resolve, reject) => {
      let wasSent = false;
      const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
      const signal = this.interrupted ? AbortSignal.any([timeout, this.interrupted]) : timeout;
      const fail = (error: Error): void => {
        if (this.interrupted?.aborted) {
          const isWrite = wasSent && method !== 'GET';
          reject(
            new CommandFailure(
              EXIT.INTERRUPTED,
              isWrite ? 'interrupted: it may have been applied' : 'interrupted: nothing was changed',
              { outcome: isWrite ? 'unknown' : 'not_applied' },
            ),
          );
        } else {
          const why = timeout.aborted ? `no answer within ${Math.round(timeoutMs)} ms` : reasonOf(error);
          reject(new NoAnswer(endpoint, why, wasSent));
        }
      };
      const isSecure = base.protocol === 'https:';
      const outgoing = (isSecure ? httpsRequest : httpRequest)(
        {
          agent: (isSecure ? this.agents?.https : this.agents?.http) ?? false,
          host: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port,
          // Not through URL, which would normalize the percent-encoding of a key.
          path: `${base.pathname.replace(/\/$/, '')}${path}`,
          method,
          headers: { ...(body && { 'content-length': body.length }), ...headers },
          signal,
        },
        (incoming) => {
          const parts: Buffer[] = [];
          incoming.on('data', (part: Buffer) => parts.push(part));
          incoming.on('error', fail);
          incoming.on('end', () =>
            resolve({
              endpoint,
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(parts),
            }),
          );
        },
      );
      outgoing.on('socket', (socket) => {
        if (socket.connecting) socket.once('connect', () => (wasSent = true));
        else wasSent = true;
      });
      outgoing.on('error', fail);
      outgoing.end(body);
    });
  }
}

/** The failure behind an answer that is no success. */
export function failureOfAnswer(answer: GatewayAnswer, isWrite: boolean): CommandFailure {
  const problem = readProblem(answer);
  if (problem === undefined) {
    const outcome: OperationOutcome = isWrite ? 'unknown' : 'not_applied';
    const message = `${answer.endpoint} answers HTTP ${answer.status}, and not as a gateway does`;
    return new CommandFailure(EXIT.FAILED, message, { outcome, hint: 'see that --endpoint names a gateway' });
  }
  const { code, detail, outcome, revision } = problem;
  const httpStatus = answer.status;
  return failureOf({ code, detail, httpStatus, revision, ...(isWrite && { outcome }) });
}

/** 503 is surely not applied, so another gateway may be asked, also to write. */
function isWorthAnother(answer: GatewayAnswer): boolean {
  return answer.status === 503 && readProblem(answer)?.retryable !== false;
}

function nobodyAnswers(failures: readonly NoAnswer[]): CommandFailure {
  return new CommandFailure(
    EXIT.UNAVAILABLE,
    `no gateway answers: ${failures.map(({ message }) => message).join('; ')}`,
    {
      code: 'GATEWAY_UNREACHABLE',
      outcome: 'not_applied',
      hint: 'see that a gateway runs, and name it with --endpoint or RINGRAFT_ENDPOINT; `ringctl status --node HOST:PORT` asks nodes directly',
    },
  );
}

function outcomeUnknown({ message }: NoAnswer): CommandFailure {
  const detail = `${message}; the request had been sent`;
  return failureOf({ code: 'OUTCOME_UNKNOWN', httpStatus: 504, detail, outcome: 'unknown' });
}

/** In words; Node's own message of a refused connection repeats the address. */
function reasonOf(error: Error): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
      return 'connection reset';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no such host';
    default:
      return error.message;
  }
}
