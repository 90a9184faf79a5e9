import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandFailure } from '../command-failure.js';
import { EXIT } from '../exit-code.js';
import { GatewayClient } from './gateway-client.js';

const TIMEOUT_MS = 30_000;
/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:1';

describe('whom a request goes to', () => {
  const servers: Server[] = [];

  /** A gateway that answers so; counts what it is asked. */
  async function gateway(answer: RequestListener): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      asked.push(`${request.method} ${request.url}`);
      answer(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  const value: RequestListener = (_request, response) => response.end('value');
  const hangs: RequestListener = () => undefined;
  const drops: RequestListener = (request) => request.socket.destroy();
  const refuses =
    (status: number, code: string, retryable: boolean): RequestListener =>
    (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(
        JSON.stringify({ code, detail: 'so', retryable, outcome: status === 504 ? 'unknown' : 'not_applied' }),
      );
    };

  const put = { method: 'PUT', path: '/v1/kv/a', body: Buffer.from('x'), timeoutMs: TIMEOUT_MS } as const;
  const get = { method: 'GET', path: '/v1/kv/a%2Fb', timeoutMs: TIMEOUT_MS } as const;

  async function failureOf(promise: Promise<unknown>): Promise<CommandFailure> {
    const error: unknown = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(CommandFailure);
    return error as CommandFailure;
  }

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('the next one when there is no connection, with the path as it was given', async () => {
    const second = await gateway(value);
    const answer = await new GatewayClient([NOBODY, second.url]).request(get);
    expect([answer.endpoint, answer.body.toString()]).toEqual([second.url, 'value']);
    expect(second.asked).toEqual(['GET /v1/kv/a%2Fb']);
  });

  it('the next one when one surely did nothing, also to write', async () => {
    const first = await gateway(refuses(503, 'INVALID_LEADER', true));
    const second = await gateway(value);
    await new GatewayClient([first.url, second.url]).expectSuccess(put);
    expect([first.asked.length, second.asked.length]).toEqual([1, 1]);
  });

  it('nobody else when a write was sent and not answered', async () => {
    const first = await gateway(drops);
    const second = await gateway(value);
    const failure = await failureOf(new GatewayClient([first.url, second.url]).request(put));
    expect(failure).toMatchObject({ exitCode: EXIT.UNKNOWN, code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
    expect(second.asked).toEqual([]);
  });

  it('nobody else when it says that it does not know', async () => {
    const first = await gateway(refuses(504, 'OUTCOME_UNKNOWN', false));
    const second = await gateway(value);
    const failure = await failureOf(new GatewayClient([first.url, second.url]).expectSuccess(put));
    expect([failure.exitCode, second.asked]).toEqual([EXIT.UNKNOWN, []]);
  });

  it('a read goes on to the next one, whatever happened', async () => {
    const first = await gateway(drops);
    const second = await gateway(value);
    expect((await new GatewayClient([first.url, second.url]).request(get)).body.toString()).toBe('value');
  });

  it('with all refusing, the refusal is told; with none answering, each is named', async () => {
    const only = await gateway(refuses(503, 'INVALID_LEADER', true));
    const refused = await failureOf(new GatewayClient([NOBODY, only.url]).expectSuccess(put));
    expect(refused).toMatchObject({
      exitCode: EXIT.UNAVAILABLE,
      code: 'INVALID_LEADER',
      message: 'so (INVALID_LEADER)',
    });
    const nobody = await failureOf(new GatewayClient([NOBODY, 'http://127.0.0.1:2']).request(put));
    expect(nobody).toMatchObject({ exitCode: EXIT.UNAVAILABLE, outcome: 'not_applied' });
    expect(nobody.message).toMatch(/127\.0\.0\.1:1: connection refused; .*127\.0\.0\.1:2: connection refused/);
  });

  it('all at once, where a hanging one may not be waited for', async () => {
    const first = await gateway(hangs);
    const second = await gateway(value);
    const answer = await new GatewayClient([first.url, NOBODY, second.url]).first('/v1/cluster', TIMEOUT_MS);
    expect(answer.endpoint).toBe(second.url);
    const none = await failureOf(new GatewayClient([first.url]).first('/v1/cluster', 100));
    expect(none.message).toContain('no answer within 100 ms');
  });

  it('somebody who is no gateway is told from one', async () => {
    const proxy = await gateway((_request, response) => response.writeHead(502).end('<html>'));
    const failure = await failureOf(new GatewayClient([proxy.url]).expectSuccess(put));
    expect(failure).toMatchObject({
      exitCode: EXIT.FAILED,
      outcome: 'unknown',
      hint: expect.stringContaining('--endpoint') as string,
    });
  });
});
