import fc from 'fast-check';
import { decodeCommand, encodeCommand } from './command-codec.js';
import type { Request } from './commands.js';
import { DecodeError, UnsupportedVersionError } from './decode-error.js';
import { request } from './testing/arbitraries.js';
import { ascii, fromHex, hex } from './testing/bytes.js';
import { thrownBy } from './testing/thrown-by.js';

const SET: Request = {
  kind: 'set',
  key: ascii('key'),
  value: ascii('value'),
  contentType: 'text/plain',
  ttlMs: 300,
  condition: { kind: 'ifRevision', revision: 9 },
  session: { clientId: 1, sequence: 200, acknowledgedBelow: 3 },
};

/** What reading and writing makes of the input; `refused` if it cannot be read, which must be said with a DecodeError. */
function writtenAgain(input: Uint8Array): string {
  let command: Request;
  try {
    command = decodeCommand(input);
  } catch (error) {
    if (error instanceof DecodeError) return 'refused';
    throw error;
  }
  return hex(encodeCommand(command));
}

describe('the codec of commands', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(request, (command) => expect(decodeCommand(encodeCommand(command))).toEqual(command)),
      { numRuns: 500 },
    );
  });

  // Entries of old logs hold these bytes: a change here needs a new version beside the old one.
  it.each<[string, Request, string]>([
    ['openSession', { kind: 'openSession' }, '0101'],
    ['get', { kind: 'get', key: ascii('key') }, '0102 03 6b6579'],
    ['set', SET, '0103 03 01c80103 09 03 6b6579 0a 746578742f706c61696e ac02 05 76616c7565'],
    ['delete', { kind: 'delete', key: ascii('k'), condition: { kind: 'ifPresent' } }, '0104 08 01 6b'],
    [
      'increment',
      { kind: 'increment', key: ascii('k'), delta: -2n, condition: { kind: 'ifAbsent' } },
      '0105 04 01 6b fffffffffffffffe',
    ],
    ['expire', { kind: 'expire', keys: [ascii('a'), ascii('bc')] }, '0106 02 01 61 02 6263'],
  ])('keeps the bytes of version 1: %s', (_, command, encoded) => {
    expect(hex(encodeCommand(command))).toBe(encoded.replaceAll(' ', ''));
    expect(decodeCommand(fromHex(encoded))).toEqual(command);
  });

  it('refuses every command that is cut short or has something behind it', () => {
    fc.assert(
      fc.property(request, (command) => {
        const encoded = encodeCommand(command);
        for (let length = 0; length < encoded.length; length++) {
          expect(() => decodeCommand(encoded.subarray(0, length))).toThrow(DecodeError);
        }
        expect(() => decodeCommand(Uint8Array.of(...encoded, 0))).toThrow(
          new DecodeError('end', '1 bytes are left over'),
        );
      }),
    );
  });

  it('takes any bytes: it refuses them with a DecodeError, or they are exactly what it would write', () => {
    const body = fc.uint8Array({ maxLength: 40 });
    const kind = fc.integer({ min: 0, max: 8 });
    fc.assert(
      fc.property(kind, body, (first, rest) => {
        const input = Uint8Array.of(1, first, ...rest);
        expect(['refused', hex(input)]).toContain(writtenAgain(input));
      }),
      { numRuns: 5_000 },
    );
  });

  it('survives any single byte of a command being another', () => {
    const encoded = encodeCommand(SET);
    for (let place = 0; place < encoded.length; place++) {
      for (let byte = 0; byte < 256; byte++) {
        const damaged = encoded.slice();
        damaged[place] = byte;
        expect(['refused', hex(damaged)]).toContain(writtenAgain(damaged));
      }
    }
  });

  it.each([
    ['', 'version'],
    ['01', 'kind'],
    ['0102', 'key'],
    ['0102 05 6b', 'key'],
    ['0102 ffffffffffffff0f', 'key'],
    ['0103', 'flags'],
    ['0103 10', 'flags'],
    ['0103 06 00', 'condition'],
    ['0103 0c 00', 'condition'],
    ['0103 0e 00', 'condition'],
    ['0103 01', 'session.clientId'],
    ['0103 01 01', 'session.sequence'],
    ['0103 01 01 01', 'session.acknowledgedBelow'],
    ['0103 01 01 01 8000', 'session.acknowledgedBelow'],
    ['0103 02', 'condition.revision'],
    ['0103 00 01 6b', 'contentType'],
    ['0103 00 01 6b 01 0a', 'contentType'],
    ['0103 00 01 6b 8002', 'contentType'],
    ['0103 00 01 6b 00', 'ttlMs'],
    ['0103 00 01 6b 00 ffffffffffffff10', 'ttlMs'],
    ['0103 00 01 6b 00 00', 'value'],
    ['0103 00 01 6b 00 00 02 61', 'value'],
    ['0105 00 01 6b 00', 'delta'],
    ['0106', 'keys'],
    ['0106 ffffffffffffff0f', 'keys'],
    ['0106 01 02 61', 'keys'],
    ['0101 00', 'end'],
  ])('says which field of %s is wrong: %s', (encoded, field) => {
    expect(thrownBy(() => decodeCommand(fromHex(encoded)))).toMatchObject({ name: 'DecodeError', field });
  });

  it('tells a newer version or kind from a malformed command', () => {
    expect(() => decodeCommand(fromHex('0201'))).toThrow(new UnsupportedVersionError('command', 'version', 2));
    expect(() => decodeCommand(fromHex('0107'))).toThrow(new UnsupportedVersionError('command', 'kind', 7));
    expect(thrownBy(() => decodeCommand(fromHex('0207')))).toMatchObject({ code: 'UNSUPPORTED_VERSION' });
    expect(thrownBy(() => decodeCommand(fromHex('0102')))).toMatchObject({ code: 'MALFORMED' });
  });

  it('gives keys and values as views', () => {
    const encoded = encodeCommand(SET);
    const command = decodeCommand(encoded);
    expect(command.kind === 'set' && command.key.buffer === encoded.buffer).toBe(true);
    expect(command.kind === 'set' && command.value.buffer === encoded.buffer).toBe(true);
  });

  it('does not write what could not be read', () => {
    expect(() => encodeCommand({ ...SET, contentType: 'a'.repeat(256) })).toThrow(RangeError);
    expect(() => encodeCommand({ ...SET, contentType: 'text/plain\r\n' })).toThrow(RangeError);
    expect(() => encodeCommand({ ...SET, ttlMs: -1 })).toThrow(RangeError);
    expect(() => encodeCommand({ kind: 'increment', key: ascii('k'), delta: 2n ** 63n })).toThrow(RangeError);
  });
});
