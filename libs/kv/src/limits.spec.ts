import { checkLimits, type Limits } from './limits.js';
import type { SetCommand } from './commands.js';
import { ascii } from './testing/bytes.js';

const LIMITS: Limits = { keyBytesMax: 4, valueBytesMax: 10 };

function set(keyBytes: number, valueBytes: number): SetCommand {
  return { kind: 'set', key: new Uint8Array(keyBytes), value: new Uint8Array(valueBytes), contentType: '', ttlMs: 0 };
}

describe('checkLimits', () => {
  it('lets through what is within the limits, the limits included', () => {
    expect(checkLimits(set(1, 0), LIMITS)).toBeUndefined();
    expect(checkLimits(set(4, 10), LIMITS)).toBeUndefined();
    expect(checkLimits({ kind: 'openSession' }, LIMITS)).toBeUndefined();
  });

  it('says which limit is passed and by what', () => {
    expect(checkLimits(set(0, 1), LIMITS)).toEqual({ code: 'KEY_EMPTY', limit: 1, actual: 0 });
    expect(checkLimits(set(5, 1), LIMITS)).toEqual({ code: 'KEY_TOO_LONG', limit: 4, actual: 5 });
    expect(checkLimits(set(4, 11), LIMITS)).toEqual({ code: 'VALUE_TOO_LARGE', limit: 10, actual: 11 });
  });

  it.each(['get', 'delete'] as const)('checks the key of a %s', (kind) => {
    expect(checkLimits({ kind, key: ascii('') }, LIMITS)?.code).toBe('KEY_EMPTY');
    expect(checkLimits({ kind, key: ascii('12345') }, LIMITS)?.code).toBe('KEY_TOO_LONG');
    expect(checkLimits({ kind, key: ascii('1234') }, LIMITS)).toBeUndefined();
  });

  it('checks the key of an increment, and not the keys that the state itself has', () => {
    expect(checkLimits({ kind: 'increment', key: ascii('12345'), delta: 1n }, LIMITS)?.code).toBe('KEY_TOO_LONG');
    expect(checkLimits({ kind: 'expire', keys: [ascii('12345')] }, LIMITS)).toBeUndefined();
  });
});
