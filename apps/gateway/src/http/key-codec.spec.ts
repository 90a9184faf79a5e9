import fc from 'fast-check';
import { refusal } from '../testing/refusal.js';
import { decodeKey, protectKeys } from './key-codec.js';

const MAX = 4_096;
const percentEncode = (key: Uint8Array) => [...key].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

describe('decodeKey', () => {
  it('gives back any bytes, encoded in either case', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.boolean(), (key, isUpperCase) => {
        const encoded = percentEncode(key);
        expect([...decodeKey(isUpperCase ? encoded.toUpperCase() : encoded, MAX)]).toEqual([...key]);
      }),
    );
  });

  it('takes what need not be encoded as it is', () => {
    expect(decodeKey("a-b._~!$&'()*+,;=:@", MAX).toString()).toBe("a-b._~!$&'()*+,;=:@");
  });

  it.each(['%', '%4', '%ZZ', 'a%2', 'a%%41', '%4G', '%-1'])('refuses %j, naming the key', (encoded) => {
    expect(() => decodeKey(encoded, MAX)).toThrow(refusal('INVALID_REQUEST', 'key'));
  });

  it.each(['a b', 'é', '\x7f', 'a\tb'])('refuses the bare character in %j', (encoded) => {
    expect(() => decodeKey(encoded, MAX)).toThrow(refusal('INVALID_REQUEST', 'key'));
  });

  it('takes 1 to 4,096 bytes, however they are encoded', () => {
    expect(decodeKey('%41'.repeat(MAX), MAX)).toHaveLength(MAX);
    expect(decodeKey('a', MAX)).toHaveLength(1);
    expect(() => decodeKey('', MAX)).toThrow(refusal('KEY_EMPTY', 'key'));
    expect(() => decodeKey('%41'.repeat(MAX + 1), MAX)).toThrow(
      refusal('KEY_TOO_LONG', 'key', { limit: MAX, actual: MAX + 1 }),
    );
  });
});

describe('protectKeys', () => {
  it.each([
    ['/v1/kv/a%2Fb?ttl=1%73', '/v1/kv/a%252Fb?ttl=1%73'],
    ['/v1/kv/%FF', '/v1/kv/%25FF'],
    ['/v1/kv/a#b', '/v1/kv/a%23b'],
    ['/v1/kv/plain?x=%41', '/v1/kv/plain?x=%41'],
    ['/docs/%41', '/docs/%41'],
    ['http://host:1/v1/kv/a%41?x', '/v1/kv/a%2541?x'],
    ['HTTPS://host/v1/limits', '/v1/limits'],
  ])('%s -> %s', (url, protectedUrl) => {
    expect(protectKeys(url)).toBe(protectedUrl);
  });
});
