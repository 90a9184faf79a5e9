import fc from 'fast-check';
import { decodeAnswer, encodeAnswer } from './answer-codec.js';
import type { Answer } from './answers.js';
import { DecodeError, UnsupportedVersionError } from './decode-error.js';
import { answer } from './testing/arbitraries.js';
import { ascii, fromHex, hex } from './testing/bytes.js';
import { thrownBy } from './testing/thrown-by.js';

describe('the codec of answers', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(answer, (each) => expect(decodeAnswer(encodeAnswer(each))).toEqual(each)),
      { numRuns: 500 },
    );
  });

  // These bytes are kept in the replicated state: a change here needs a new version beside the old one.
  it.each<[Answer, string]>([
    [{ kind: 'openSession', clientId: 300 }, '0101 ac02'],
    [{ kind: 'get', found: false }, '0102 00'],
    [
      { kind: 'get', found: true, record: { revision: 5, contentType: 'a/b', value: ascii('v') } },
      '0102 01 05 03 612f62 01 76',
    ],
    [{ kind: 'set', created: true, revision: 1 }, '0103 01 01'],
    [{ kind: 'delete', deleted: false, revision: 2 }, '0104 00 02'],
    [{ kind: 'increment', value: -1n, revision: 3 }, '0105 03 ffffffffffffffff'],
    [{ kind: 'expire', removed: 2, revision: 4 }, '0106 02 04'],
    [{ kind: 'failure', code: 'PRECONDITION_FAILED', revision: 7 }, '0107 00 07'],
    [{ kind: 'failure', code: 'INVALID_COMMAND', field: 'f', reason: 'r' }, '0107 01 0166 0172'],
    [{ kind: 'failure', code: 'NOT_AN_INTEGER' }, '0107 02'],
    [{ kind: 'failure', code: 'OVERFLOW' }, '0107 03'],
    [{ kind: 'failure', code: 'SESSION_EXPIRED' }, '0107 04'],
    [{ kind: 'failure', code: 'SEQUENCE_FORGOTTEN' }, '0107 05'],
    [{ kind: 'failure', code: 'SESSION_FULL' }, '0107 06'],
  ])('keeps the bytes of version 1: %j', (each, encoded) => {
    expect(hex(encodeAnswer(each))).toBe(encoded.replaceAll(' ', ''));
    expect(decodeAnswer(fromHex(encoded))).toEqual(each);
  });

  it('refuses every answer that is cut short or has something behind it', () => {
    fc.assert(
      fc.property(answer, (each) => {
        const encoded = encodeAnswer(each);
        for (let length = 0; length < encoded.length; length++) {
          expect(() => decodeAnswer(encoded.subarray(0, length))).toThrow(DecodeError);
        }
        expect(() => decodeAnswer(Uint8Array.of(...encoded, 0))).toThrow('end');
      }),
    );
  });

  it.each([
    ['0102 02', 'found'],
    ['0103 02 01', 'created'],
    ['0104 ff 01', 'deleted'],
    ['0107 07', 'code'],
    ['0102 01 05 00', 'record.value'],
  ])('says which field of %s is wrong: %s', (encoded, field) => {
    expect(thrownBy(() => decodeAnswer(fromHex(encoded)))).toMatchObject({ code: 'MALFORMED', field });
  });

  it('tells a newer version or kind from a malformed answer', () => {
    expect(() => decodeAnswer(fromHex('02'))).toThrow(new UnsupportedVersionError('answer', 'version', 2));
    expect(() => decodeAnswer(fromHex('0108'))).toThrow(new UnsupportedVersionError('answer', 'kind', 8));
  });
});
