import fc from 'fast-check';
import { ByteReader } from './byte-reader.js';
import { ByteWriter, varintBytes } from './byte-writer.js';
import { DecodeError } from './decode-error.js';
import { bytes, number } from './testing/arbitraries.js';
import { fromHex, hex } from './testing/bytes.js';

const writer = new ByteWriter();

function varint(hexadecimal: string): number {
  const reader = new ByteReader(fromHex(hexadecimal));
  const value = reader.varint('n');
  reader.end();
  return value;
}

describe('varint', () => {
  it.each([
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '8001'],
    [300, 'ac02'],
    [2 ** 31 - 1, 'ffffffff07'],
    [2 ** 31, '8080808008'],
    [2 ** 32, '8080808010'],
    [2 ** 49 - 1, 'ffffffffffff7f'],
    [2 ** 49, '8080808080808001'],
    [Number.MAX_SAFE_INTEGER, 'ffffffffffffff0f'],
  ])('writes %d as %s and reads it back', (value, encoded) => {
    expect(hex(writer.start().varint(value).finish())).toBe(encoded);
    expect(varint(encoded)).toBe(value);
    expect(varintBytes(value)).toBe(encoded.length / 2);
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(number, (value) => {
        const encoded = writer.start().varint(value).finish();
        expect(varintBytes(value)).toBe(encoded.length);
        expect(new ByteReader(encoded).varint('n')).toBe(value);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['', 'ends here'],
    ['80', 'ends here'],
    ['ffffffffffffff', 'ends here'],
    ['ffffffffffffff10', 'above'],
    ['ffffffffffffffff01', 'above'],
    ['80808080808080808080', 'above'],
    ['8000', 'shortest'],
    ['ff00', 'shortest'],
  ])('refuses %s', (encoded, reason) => {
    expect(() => varint(encoded)).toThrow(DecodeError);
    expect(() => varint(encoded)).toThrow(reason);
  });

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53])('does not write %d', (value) => {
    expect(() => writer.start().varint(value)).toThrow(RangeError);
  });
});

describe('ByteReader', () => {
  it('names the field, and reads nothing beyond the end of its view', () => {
    const view = fromHex('03 6162 ffff').subarray(0, 3);
    expect(() => new ByteReader(view).bytes('key')).toThrow(
      new DecodeError('key', '3 bytes are announced, 2 are left'),
    );
    expect(() => new ByteReader(fromHex('00000000000000ff').subarray(0, 7)).int64('delta')).toThrow('delta');
    expect(() => new ByteReader(new Uint8Array(0)).byte('kind')).toThrow('kind');
  });

  it('reads two halves of 64 bits as they were written, the higher first', () => {
    const written = writer.start().word64({ high: -2, low: 0x01020304 }).finish();
    expect(hex(written)).toBe('fffffffe01020304');
    const reader = new ByteReader(fromHex('aa fffffffe01020304').subarray(1));
    expect(reader.word64('hash')).toEqual({ high: -2, low: 0x01020304 });
    expect(() => reader.word64('hash')).toThrow(DecodeError);
  });

  it('reads a 64-bit integer at any place of a buffer', () => {
    const reader = new ByteReader(fromHex('aa ffffffffffffff85 bb').subarray(1, 9));
    expect(reader.int64('delta')).toBe(-123n);
    reader.end();
  });

  it('gives views, not copies', () => {
    const input = fromHex('02 6162 63');
    const reader = new ByteReader(input);
    expect(reader.bytes('key').buffer).toBe(input.buffer);
    expect(hex(reader.rest())).toBe('63');
    reader.end();
  });

  it('refuses text that is too long or not visible ASCII', () => {
    expect(new ByteReader(fromHex('03 20417e')).ascii('t', 3)).toBe(' A~');
    expect(() => new ByteReader(fromHex('03 20417e')).ascii('t', 2)).toThrow('3 characters are more than 2');
    for (const bad of ['1f', '7f', '00', 'e4', '0a']) {
      expect(() => new ByteReader(fromHex(`01 ${bad}`)).ascii('t', 2)).toThrow('not visible ASCII');
    }
  });

  it('reads each text as it is, whatever was read before', () => {
    const texts = ['ab', 'ab', 'abc', 'abd', 'ab', '', 'bb', 'ba'];
    const encoded = texts.map((text) => writer.start().ascii(text, 3).finish());
    expect(encoded.map((each) => new ByteReader(each).ascii('t', 3))).toEqual(texts);
    expect(new ByteReader(fromHex('02 6162')).ascii('t', 3)).toBe('ab');
    expect(() => new ByteReader(fromHex('02 6107')).ascii('t', 3)).toThrow('not visible ASCII');
  });

  it('refuses what is left over', () => {
    expect(() => new ByteReader(fromHex('0102')).end()).toThrow(new DecodeError('end', '2 bytes are left over'));
  });
});

describe('ByteWriter', () => {
  it('hands over arrays of their own and of the exact length, whatever their sizes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(bytes, fc.nat({ max: 400 })), { maxLength: 8 }), (values) => {
        const finished = values.map(([value, announced]) => writer.start(announced).raw(value).finish());
        finished.forEach((each, i) => expect(hex(each)).toBe(hex(values[i]![0])));
      }),
    );
  });

  it('cuts small things out of one piece, whatever large ones come in between', () => {
    const fresh = new ByteWriter();
    const small = () => fresh.start().byte(7).raw(new Uint8Array(99)).finish();
    const piece = small().buffer;
    expect(piece.byteLength).toBe(8_192);
    for (const length of [2_049, 8_000, 8_191, 8_192, 10_000, 40_000, 100_000]) {
      for (const announced of [0, length]) {
        const large = fresh
          .start(announced)
          .byte(1)
          .raw(new Uint8Array(length - 1))
          .finish();
        expect([large.length, large.buffer === piece]).toEqual([length, false]);
        // Neither copied nor more than it needs.
        expect(large.buffer.byteLength).toBe(length);
        expect(small().buffer).toBe(piece);
      }
    }
    const last = fresh.start().raw(new Uint8Array(2_048)).finish();
    expect(last.buffer).toBe(piece);
  });

  it('fills its pieces, and moves what does not fit into the rest of one', () => {
    const fresh = new ByteWriter();
    const finished = Array.from({ length: 100 }, (_, i) =>
      fresh.start().byte(i).raw(new Uint8Array(999).fill(i)).finish(),
    );
    expect(new Set(finished.map(({ buffer }) => buffer)).size).toBe(13);
    finished.forEach((each, i) => expect(hex(each)).toBe(hex(new Uint8Array(1_000).fill(i))));
  });

  it('grows by doubling where much is written in small parts', () => {
    const fresh = new ByteWriter();
    fresh.start();
    for (let i = 0; i < 20_000; i++) fresh.varint(i);
    const reader = new ByteReader(fresh.finish());
    for (let i = 0; i < 20_000; i++) expect(reader.varint('n')).toBe(i);
    reader.end();
  });

  it('ends an announced length with a number without moving', () => {
    const fresh = new ByteWriter();
    expect(fresh.start(3_000).raw(new Uint8Array(2_998)).varint(300).finish().buffer.byteLength).toBe(3_000);
  });

  it('goes on with its piece after a thing that was left unfinished', () => {
    const fresh = new ByteWriter();
    const first = fresh.start().byte(1).finish();
    fresh.start().raw(new Uint8Array(100).fill(9));
    const second = fresh.start().byte(2).finish();
    expect([hex(first), hex(second)]).toEqual(['01', '02']);
    expect(second.byteOffset).toBe(first.byteOffset + 1);
  });

  it('starts anew after a write that was refused', () => {
    expect(() => writer.start().byte(1).varint(-1)).toThrow(RangeError);
    expect(hex(writer.start().byte(2).finish())).toBe('02');
  });

  it('refuses text and integers that do not fit', () => {
    expect(() => writer.start().ascii('abc', 2)).toThrow(RangeError);
    expect(() => writer.start().ascii('\n', 2)).toThrow(RangeError);
    expect(() => writer.start().ascii('ä', 2)).toThrow(RangeError);
    expect(() => writer.start().int64(2n ** 63n)).toThrow(RangeError);
    expect(() => writer.start().int64(-(2n ** 63n) - 1n)).toThrow(RangeError);
  });
});
