import { RingraftError } from '@app/rpc';

/**
 * Keys in paths are percent-encoded bytes. The router of the HTTP server would decode them as UTF-8 and refuse all
 * other bytes, so it is given paths in which the percent signs are themselves encoded (`protectKeys`), and hands the
 * handlers the text that was sent (`decodeKey`).
 */
export function protectKeys(target: string): string {
  const url = originForm(target);
  if (!url.startsWith('/v1/')) return url;
  const queryAt = url.indexOf('?');
  const path = queryAt === -1 ? url : url.slice(0, queryAt);
  if (!path.includes('%') && !path.includes('#')) return url;
  const query = queryAt === -1 ? '' : url.slice(queryAt);
  return path.replaceAll('%', '%25').replaceAll('#', '%23') + query;
}

/** A request target without scheme and host, which a proxy may send (RFC 9112, section 3.2.2). */
export function originForm(target: string): string {
  return target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '');
}

/** The bytes of a key. Throws INVALID_REQUEST, KEY_EMPTY or KEY_TOO_LONG. */
export function decodeKey(encoded: string, keyBytesMax: number): Buffer {
  const key = Buffer.allocUnsafe(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; at += 1) {
    let byte = encoded.charCodeAt(at);
    if (byte === PERCENT) {
      const high = hexDigit(encoded.charCodeAt(at + 1));
      const low = hexDigit(encoded.charCodeAt(at + 2));
      if (high < 0 || low < 0) throw malformed(`% at position ${at} is not followed by two hexadecimal digits`);
      byte = high * 16 + low;
      at += 2;
    } else if (byte <= SPACE || byte >= DELETE) {
      throw malformed(`the character at position ${at} must be percent-encoded`);
    }
    key[length++] = byte;
  }
  checkKey(length, keyBytesMax);
  return key.subarray(0, length);
}

/** Throws KEY_EMPTY or KEY_TOO_LONG. */
export function checkKey(keyBytes: number, keyBytesMax: number): void {
  if (keyBytes === 0) throw emptyKey();
  if (keyBytes > keyBytesMax) {
    throw new RingraftError('KEY_TOO_LONG', `the key has ${keyBytes} bytes`, {
      limit: keyBytesMax,
      actual: keyBytes,
      errors: [{ field: 'key', message: `must have at most ${keyBytesMax} bytes` }],
    });
  }
}

export function emptyKey(): RingraftError {
  return new RingraftError('KEY_EMPTY', 'the key is empty', {
    errors: [{ field: 'key', message: 'must not be empty' }],
  });
}

const PERCENT = 0x25;
const SPACE = 0x20;
const DELETE = 0x7f;

/** -1 for what is none, NaN of a missing character included. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function malformed(message: string): RingraftError {
  return new RingraftError('INVALID_REQUEST', `key: ${message}`, { errors: [{ field: 'key', message }] });
}
