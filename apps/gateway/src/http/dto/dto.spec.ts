import type { HttpRequest } from '../http-types.js';
import { refusal } from '../../testing/refusal.js';
import { jsonBody, QueryPipe } from './dto.pipe.js';
import { GetKeyQuery } from './get-key.dto.js';
import { IncrementBody, parseDelta } from './increment.dto.js';
import { SetKeyQuery, ttlMsOf } from './set-key.dto.js';

describe('the query of PUT', () => {
  const pipe = new QueryPipe(SetKeyQuery);

  it.each([
    ['1ms', 1],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['36525d', 36_525 * 86_400_000],
  ])('ttl=%s is %i ms', (ttl, ttlMs) => {
    expect(ttlMsOf(pipe.transform({ ttl }))).toBe(ttlMs);
  });

  it('keeps the key for ever without a ttl', () => {
    expect(ttlMsOf(pipe.transform({}))).toBe(0);
  });

  it.each(['', '0s', '30', 's', '-1s', '1.5s', '1 s', '1w', '36526d', '9999999999999999s', ['1s', '2s']])(
    'refuses ttl=%j',
    (ttl) => {
      expect(() => pipe.transform({ ttl })).toThrow(refusal('INVALID_REQUEST', 'ttl'));
    },
  );

  it.each(['TTL', 'tttl', 'constructor', 'toString', 'ttlMs'])('refuses the unknown parameter %s', (name) => {
    expect(() => pipe.transform({ [name]: '1' })).toThrow(refusal('INVALID_REQUEST', name));
  });
});

describe('the query of GET', () => {
  it('takes the two consistencies and nothing else', () => {
    const pipe = new QueryPipe(GetKeyQuery);
    expect(pipe.transform({ consistency: 'stale' }).consistency).toBe('stale');
    expect(pipe.transform({ consistency: 'linearizable' }).consistency).toBe('linearizable');
    expect(() => pipe.transform({ consistency: 'eventual' })).toThrow(refusal('INVALID_REQUEST', 'consistency'));
    expect(() => pipe.transform({ consistency: ['stale', 'stale'] })).toThrow(
      refusal('INVALID_REQUEST', 'consistency'),
    );
  });
});

describe('the body of an increment', () => {
  const read = (body: string, contentType = 'application/json') =>
    jsonBody(IncrementBody, {
      headers: { 'content-type': contentType },
      body: Buffer.from(body),
    } as unknown as HttpRequest);

  it.each([
    ['1', 1n],
    ['-42', -42n],
    ['"9223372036854775807"', 2n ** 63n - 1n],
    ['"-9223372036854775808"', -(2n ** 63n)],
    ['9007199254740991', 9007199254740991n],
  ])('delta %s', (json, delta) => {
    expect(parseDelta(read(`{"delta":${json}}`, 'application/json; charset=utf-8').delta)).toBe(delta);
  });

  it.each(['1.5', '"9223372036854775808"', '9007199254740992', '"1e3"', '"+1"', '""', 'null', 'true', '[1]', '{}'])(
    'refuses delta %s',
    (json) => {
      expect(() => read(`{"delta":${json}}`)).toThrow(refusal('INVALID_REQUEST', 'delta'));
    },
  );

  it('refuses what is missing, unknown, or no JSON object', () => {
    expect(() => read('{}')).toThrow(refusal('INVALID_REQUEST', 'delta'));
    expect(() => read('{"delta":1,"by":2}')).toThrow(refusal('INVALID_REQUEST', 'by'));
    expect(() => read('{"delta":"x","__proto__":{"a":1}}')).toThrow(refusal('INVALID_REQUEST', '__proto__'));
    expect(() => read('{"delta":1')).toThrow(refusal('INVALID_REQUEST', 'body'));
    expect(() => read('')).toThrow(refusal('INVALID_REQUEST', 'body'));
    expect(() => read('[]')).toThrow(refusal('INVALID_REQUEST', 'body'));
    expect(() => read('{"delta":1}', 'text/plain')).toThrow(refusal('UNSUPPORTED_MEDIA_TYPE'));
  });
});
