import type { HttpAnswer } from '../support/http-client.js';
import { HttpClient } from '../support/http-client.js';
import { startTestCluster, type TestCluster } from '../support/test-cluster.js';

/** Far above what it takes: a machine that is busy with other tests must not fail this one. */
jest.setTimeout(120_000);

const SUCCESS = '{"response":"","error_code":"SUCCESS"}';
const MIB = 1024 * 1024;

describe('the classic interface', () => {
  let cluster: TestCluster;
  let http: HttpClient;

  beforeAll(async () => {
    cluster = await startTestCluster({ clusters: 1, nodes: 3, gateways: 1 });
    http = new HttpClient(cluster.gateways[0]!.url);
  }, 90_000);

  afterAll(async () => {
    http?.close();
    await cluster?.dispose();
  }, 30_000);

  /** Sends the body exactly as it is. */
  const post = (body: string | Uint8Array, contentType = 'application/x-www-form-urlencoded'): Promise<HttpAnswer> =>
    http.call('POST', '/request', { headers: { 'content-type': contentType }, body });

  const percentEncoded = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

  function expectAnswer({ status, text, headers }: HttpAnswer, expectedStatus: number, expectedText: string): void {
    expect([status, text]).toEqual([expectedStatus, expectedText]);
    expect(headers['content-type']?.split(';')[0]).toBe('application/json');
  }

  it('answers the documented calls byte for byte', async () => {
    expectAnswer(await post('key=mykey&request=GET|mykey|'), 200, '{"response":"0|","error_code":"SUCCESS"}');
    expectAnswer(await post('key=mykey&request=DELETE|mykey|'), 200, SUCCESS);
    expectAnswer(await post('key=mykey&request=SET|mykey|myvalue'), 200, SUCCESS);
    expectAnswer(await post('key=mykey&request=GET|mykey|'), 200, '{"response":"1|myvalue","error_code":"SUCCESS"}');
    expectAnswer(await post('key=mykey&request=DELETE|mykey|'), 200, SUCCESS);
    expectAnswer(await post('key=mykey&request=GET|mykey|'), 200, '{"response":"0|","error_code":"SUCCESS"}');
  });

  it('takes only the first two bars for separators', async () => {
    expectAnswer(await post('key=bars&request=SET|bars|a|b||c|'), 200, SUCCESS);
    expectAnswer(await post('key=bars&request=GET|bars|'), 200, '{"response":"1|a|b||c|","error_code":"SUCCESS"}');
  });

  it('stores an empty value, and replaces values', async () => {
    expectAnswer(await post('key=empty&request=SET|empty|'), 200, SUCCESS);
    expectAnswer(await post('key=empty&request=GET|empty|'), 200, '{"response":"1|","error_code":"SUCCESS"}');
    expectAnswer(await post('key=empty&request=SET|empty|full'), 200, SUCCESS);
    expectAnswer(await post('key=empty&request=GET|empty|'), 200, '{"response":"1|full","error_code":"SUCCESS"}');
  });

  it('decodes the form: percent-encoding, plus for a space, fields in any order, other fields ignored', async () => {
    const body = 'other=x&request=SET%7Cgr%C3%BC%C3%9Fe+an%26alle%7C1+%2B+1+%3D+2&&key=gr%C3%BC%C3%9Fe+an%26alle';
    expectAnswer(await post(body), 200, SUCCESS);
    const answer = await http.classic('grüße an&alle', 'GET|grüße an&alle|');
    expectAnswer(answer, 200, '{"response":"1|1 + 1 = 2","error_code":"SUCCESS"}');
  });

  it('escapes what JSON must, and nothing else', async () => {
    const value = '"quoted" \\ back\nline\ttab \u0001 ünï 🚀';
    await http.classic('json', `SET|json|${value}`);
    const answer = await http.classic('json', 'GET|json|');
    expect(answer.text).toBe(JSON.stringify({ response: `1|${value}`, error_code: 'SUCCESS' }));
  });

  it('accepts a charset in the Content-Type', async () => {
    const answer = await post('key=k&request=SET|k|v', 'application/x-www-form-urlencoded; charset=UTF-8');
    expectAnswer(answer, 200, SUCCESS);
  });

  it('keeps values of every byte and keys of any bytes, as /v1 shows', async () => {
    const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const key = everyByte.filter((byte) => byte !== 0x7c);
    const encoded = percentEncoded(key);
    expectAnswer(await post(`key=${encoded}&request=SET%7C${encoded}%7C${percentEncoded(everyByte)}`), 200, SUCCESS);
    const stored = await http.get(`/v1/kv/${encoded}`);
    expect(stored.status).toBe(200);
    expect(stored.body).toEqual(Buffer.from(everyByte));
    expectAnswer(await post(`key=${encoded}&request=DELETE%7C${encoded}%7C`), 200, SUCCESS);
    expect((await http.get(`/v1/kv/${encoded}`)).status).toBe(404);
  });

  it.each([
    ['nothing at all', ''],
    ['no key', 'request=GET|mykey|'],
    ['no request', 'key=mykey'],
    ['the key twice', 'key=mykey&key=mykey&request=GET|mykey|'],
    ['the request twice', 'key=mykey&request=GET|mykey|&request=GET|mykey|'],
    ['an unknown operation', 'key=mykey&request=INCREMENT|mykey|1'],
    ['an operation in lower case', 'key=mykey&request=get|mykey|'],
    ['no operation', 'key=mykey&request=|mykey|'],
    ['an empty request', 'key=mykey&request='],
    ['no bar', 'key=mykey&request=GET'],
    ['one bar', 'key=mykey&request=GET|mykey'],
    ['an empty key', 'key=&request=GET||'],
    ['an empty key in the form only', 'key=&request=GET|mykey|'],
    ['an empty key in the request only', 'key=mykey&request=GET||'],
    ['another key in the request', 'key=mykey&request=GET|yourkey|'],
    ['a key that differs in case', 'key=mykey&request=GET|MyKey|'],
    ['a broken escape', 'key=mykey&request=SET|mykey|100%'],
    ['an escape that is no hexadecimal', 'key=my%zzkey&request=GET|my%zzkey|'],
    ['JSON', '{"key":"mykey","request":"GET|mykey|"}'],
    ['a key of 4,097 bytes', `key=${'k'.repeat(4097)}&request=GET|${'k'.repeat(4097)}|`],
  ])('refuses %s with INVALID_REQUEST', async (_what, body) => {
    expectAnswer(await post(body), 400, '{"response":"","error_code":"INVALID_REQUEST"}');
  });

  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x'])(
    'refuses a form that is sent as %s',
    async (contentType) => {
      const answer = await post('key=mykey&request=GET|mykey|', contentType);
      expectAnswer(answer, 400, '{"response":"","error_code":"INVALID_REQUEST"}');
    },
  );

  it('takes a key of 4,096 bytes and a value of 1 MiB, percent-encoded too', async () => {
    const key = 'k'.repeat(4096);
    const value = 'v'.repeat(MIB);
    expectAnswer(await post(`key=${key}&request=SET|${key}|${value}`), 200, SUCCESS);
    const answer = await post(`key=${key}&request=GET|${key}|`);
    expect(answer.text === `{"response":"1|${value}","error_code":"SUCCESS"}`).toBe(true);
    const encodedKey = '%6b'.repeat(4096);
    expectAnswer(await post(`key=${encodedKey}&request=SET|${encodedKey}|${'%76'.repeat(MIB)}`), 200, SUCCESS);
  });

  it('refuses a value of one byte more with VALUE_TOO_LARGE, and stores nothing', async () => {
    const answer = await post(`key=large&request=SET|large|${'v'.repeat(MIB + 1)}`);
    expectAnswer(answer, 413, '{"response":"","error_code":"VALUE_TOO_LARGE"}');
    expectAnswer(await post('key=large&request=GET|large|'), 200, '{"response":"0|","error_code":"SUCCESS"}');
  });

  it('refuses a form that no value could make so large before it is sent', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': 64 * MIB };
    const answer = await http.call('POST', '/request', { headers, body: 'key=large&request=SET|large|v' });
    expectAnswer(answer, 413, '{"response":"","error_code":"VALUE_TOO_LARGE"}');
  });

  it('answers in its own shape for other methods too', async () => {
    const answer = await http.get('/request');
    expectAnswer(answer, 405, '{"response":"","error_code":"INVALID_REQUEST"}');
    expect(answer.headers.allow).toBe('POST');
  });

  it('says INVALID_LEADER (503) when nobody leads, surely not applied, and serves again when a majority is back', async () => {
    await post('key=steady&request=SET|steady|before');
    const [first, second] = cluster.nodes;
    await Promise.all([first!.kill(), second!.kill()]);
    const answer = await http.classic('steady', 'SET|steady|during', { timeoutMs: 20_000 });
    expect([
      [503, '{"response":"","error_code":"INVALID_LEADER"}'],
      [504, '{"response":"","error_code":"OUTCOME_UNKNOWN"}'],
    ]).toContainEqual([answer.status, answer.text]);

    first!.start();
    second!.start();
    await cluster.ready(60_000);
    const { text } = await post('key=steady&request=GET|steady|');
    const possible = answer.status === 503 ? ['before'] : ['before', 'during'];
    expect(possible.map((value) => `{"response":"1|${value}","error_code":"SUCCESS"}`)).toContain(text);
  }, 60_000);
});
