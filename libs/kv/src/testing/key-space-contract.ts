import fc from 'fast-check';
import { byteString, compareBytes } from '../bytes.js';
import type { KeySpace, Row, RowChange } from '../key-space.js';
import { ascii, fromHex, hex, text } from './bytes.js';

export interface OpenedKeySpace {
  readonly keySpace: KeySpace;
  /** Closes the space cleanly and opens it again; left out where nothing survives closing. Used instead of `keySpace` from then on. */
  reopen?(): Promise<KeySpace>;
  /** Closes whatever is open and removes what it left behind. */
  close(): Promise<void>;
}

/** Runs every rule of the `KeySpace` port against one implementation. `open` gives a new, empty space each time. */
export function describeKeySpace(name: string, open: () => Promise<OpenedKeySpace>): void {
  describe(`${name} keeps the contract of KeySpace`, () => {
    let opened: OpenedKeySpace;
    let space: KeySpace;

    beforeEach(async () => {
      opened = await open();
      space = opened.keySpace;
    });

    afterEach(() => opened.close());

    it('is empty at first, with applied index 0', async () => {
      expect(space.appliedIndex).toBe(0);
      expect(space.get(ascii('a'))).toBeUndefined();
      expect(await allRows(space)).toEqual([]);
    });

    it('shows a write to the next get at once, before any other turn of the event loop', () => {
      space.write([put('a', '1'), put('b', '2')], 1);
      expect(hexOrUndefined(space.get(ascii('a')))).toBe(hex(ascii('1')));
      expect(hexOrUndefined(space.get(ascii('b')))).toBe(hex(ascii('2')));
      space.write([put('a', '3'), remove('b')], 2);
      expect(hexOrUndefined(space.get(ascii('a')))).toBe(hex(ascii('3')));
      expect(space.get(ascii('b'))).toBeUndefined();
    });

    it('shows the newest of many writes at every step', () => {
      for (let index = 1; index <= 300; index++) {
        space.write([put('counter', `${index}`), put(`row ${index}`, `${index}`)], index);
        expect(hexOrUndefined(space.get(ascii('counter')))).toBe(hex(ascii(`${index}`)));
        expect(hexOrUndefined(space.get(ascii(`row ${(index >> 1) + 1}`)))).toBe(hex(ascii(`${(index >> 1) + 1}`)));
      }
    });

    it('tells an empty value from an absent row', async () => {
      space.write([{ key: ascii('empty'), value: new Uint8Array(0) }], 1);
      expect(space.get(ascii('empty'))).toHaveLength(0);
      expect(space.get(ascii('absent'))).toBeUndefined();
      expect(await allRows(space)).toEqual([[hex(ascii('empty')), '']]);
    });

    it('takes the delete of an absent row as done', async () => {
      space.write([remove('absent'), put('a', '1')], 1);
      expect(await allRows(space)).toEqual([[hex(ascii('a')), hex(ascii('1'))]]);
    });

    it('lets the last change of a key in a batch win', async () => {
      space.write([put('kept', 'old'), put('gone', 'old')], 1);
      space.write(
        [
          put('kept', 'first'),
          put('kept', 'second'),
          remove('kept'),
          put('kept', 'last'),
          put('gone', 'new'),
          remove('gone'),
          put('fleeting', 'x'),
          remove('fleeting'),
        ],
        2,
      );
      expect(hexOrUndefined(space.get(ascii('kept')))).toBe(hex(ascii('last')));
      expect(space.get(ascii('gone'))).toBeUndefined();
      expect(space.get(ascii('fleeting'))).toBeUndefined();
      expect(await allRows(space)).toEqual([[hex(ascii('kept')), hex(ascii('last'))]]);
    });

    it('keeps keys and values of every byte, and tells keys apart by each of them', async () => {
      const changes: RowChange[] = [];
      for (let byte = 0; byte < 256; byte++) {
        changes.push({ key: Uint8Array.of(byte), value: Uint8Array.of(255 - byte) });
        changes.push({ key: Uint8Array.of(7, byte, 0), value: everyByte() });
      }
      space.write(changes, 1);
      for (let byte = 0; byte < 256; byte++) {
        expect(hexOrUndefined(space.get(Uint8Array.of(byte)))).toBe(hex(Uint8Array.of(255 - byte)));
        expect(hexOrUndefined(space.get(Uint8Array.of(7, byte, 0)))).toBe(hex(everyByte()));
      }
      expect(await allRows(space)).toHaveLength(512);
    });

    it('takes the name of a key for the key, whoever gives it', () => {
      const key = Uint8Array.from({ length: 256 }, (_, i) => i);
      const name = byteString(key);
      const found = (): (string | undefined)[] => [space.get(key), space.get(key, name)].map(hexOrUndefined);
      space.write([{ key, name, value: ascii('1') }], 1);
      expect(found()).toEqual([hex(ascii('1')), hex(ascii('1'))]);
      space.write([{ key, value: ascii('22') }], 2);
      expect(found()).toEqual([hex(ascii('22')), hex(ascii('22'))]);
      space.write([{ key, name, value: undefined }], 3);
      expect(found()).toEqual([undefined, undefined]);
    });

    it('keeps long keys and large values', () => {
      const key = new Uint8Array(5_000).fill(0x61);
      const value = Uint8Array.from({ length: 1_200_000 }, (_, i) => (i * 31) & 0xff);
      space.write([{ key, value }], 1);
      expect(compareBytes(space.get(new Uint8Array(5_000).fill(0x61))!, value)).toBe(0);
      expect(space.get(new Uint8Array(4_999).fill(0x61))).toBeUndefined();
    });

    it('reads only the bytes of a view into a larger buffer', async () => {
      const buffer = everyByte();
      space.write([{ key: buffer.subarray(10, 13), value: buffer.subarray(200, 202) }], 1);
      expect(hexOrUndefined(space.get(everyByte().subarray(10, 13)))).toBe('c8c9');
      expect(await scanned(space, everyByte().subarray(10, 11), everyByte().subarray(11, 12), 10)).toEqual([
        ['0a0b0c', 'c8c9'],
      ]);
    });

    it('scans in the order of unsigned bytes, a prefix before what it begins', async () => {
      const keys = ['ff', '80', '7f', '00', '0000', '61', '6100', '61ff', '62', 'ffff', '7fff'];
      space.write(
        keys.map((key) => ({ key: fromHex(key), value: ascii(key) })),
        1,
      );
      expect((await allRows(space)).map(([key]) => key)).toEqual([
        '00',
        '0000',
        '61',
        '6100',
        '61ff',
        '62',
        '7f',
        '7fff',
        '80',
        'ff',
        'ffff',
      ]);
    });

    it('scans from the first bound inclusively to the second exclusively', async () => {
      space.write([put('a', '1'), put('b', '2'), put('ba', '3'), put('c', '4')], 1);
      expect(keysOf(await scanned(space, ascii('b'), ascii('c'), 10))).toEqual(['b', 'ba']);
      expect(keysOf(await scanned(space, ascii('aa'), ascii('bb'), 10))).toEqual(['b', 'ba']);
      expect(keysOf(await scanned(space, ascii('b'), ascii('b'), 10))).toEqual([]);
      expect(keysOf(await scanned(space, ascii('c'), ascii('a'), 10))).toEqual([]);
      expect(keysOf(await scanned(space, ascii('d'), ascii('e'), 10))).toEqual([]);
    });

    it('scans at most `limit` rows, the first ones', async () => {
      space.write([put('a', '1'), put('b', '2'), put('c', '3')], 1);
      expect(keysOf(await scanned(space, ascii('a'), ascii('z'), 0))).toEqual([]);
      expect(keysOf(await scanned(space, ascii('a'), ascii('z'), 2))).toEqual(['a', 'b']);
      expect(keysOf(await scanned(space, ascii('a'), ascii('z'), 3))).toEqual(['a', 'b', 'c']);
      expect(keysOf(await scanned(space, ascii('a'), ascii('z'), 4))).toEqual(['a', 'b', 'c']);
    });

    it('scans over earlier writes, also those of the same turn', async () => {
      space.write([put('a', '1'), put('b', '1'), put('c', '1')], 1);
      space.write([put('b', '2'), remove('c'), put('d', '2')], 2);
      expect(await scanned(space, ascii('a'), ascii('z'), 10)).toEqual([
        [hex(ascii('a')), hex(ascii('1'))],
        [hex(ascii('b')), hex(ascii('2'))],
        [hex(ascii('d')), hex(ascii('2'))],
      ]);
    });

    it('shows a batch to a scan whole or not at all, and never less than was there when the scan began', async () => {
      const pair = (value: string): RowChange[] => [put('first', value), put('last', value)];
      space.write(pair('0'), 1);
      const seen: Promise<string[][]>[] = [];
      for (let index = 2; index <= 50; index++) {
        space.write(pair(`${index}`), index);
        seen.push(scanned(space, ascii('a'), ascii('z'), 10));
      }
      const scans = await Promise.all(seen);
      scans.forEach((rows, i) => {
        expect(rows).toHaveLength(2);
        expect(rows[0]![1]).toBe(rows[1]![1]);
        expect(Number(text(fromHex(rows[0]![1]!)))).toBeGreaterThanOrEqual(i + 2);
      });
    });

    it('carries the applied index of the last batch, gaps and batches without changes included', () => {
      space.write([put('a', '1')], 3);
      expect(space.appliedIndex).toBe(3);
      space.write([], 4);
      expect(space.appliedIndex).toBe(4);
      space.write([put('a', '2')], 2 ** 40);
      expect(space.appliedIndex).toBe(2 ** 40);
    });

    it('refuses a batch whose applied index does not rise, and changes nothing then', async () => {
      space.write([put('a', '1')], 5);
      for (const appliedIndex of [5, 4, 0, -1, Number.NaN]) {
        expect(() => space.write([put('a', '2'), put('b', '2')], appliedIndex)).toThrow();
      }
      expect(space.appliedIndex).toBe(5);
      expect(hexOrUndefined(space.get(ascii('a')))).toBe(hex(ascii('1')));
      expect(await allRows(space)).toEqual([[hex(ascii('a')), hex(ascii('1'))]]);
      space.write([put('a', '3')], 6);
      expect(hexOrUndefined(space.get(ascii('a')))).toBe(hex(ascii('3')));
    });

    it('keeps its applied index out of the rows', async () => {
      space.write([], 1);
      expect(await allRows(space)).toEqual([]);
    });

    it('has the same rows and the same applied index after it was closed and opened again', async () => {
      if (opened.reopen === undefined) return;
      space.write([put('a', '1'), put('b', '1'), { key: ascii('empty'), value: new Uint8Array(0) }], 7);
      space.write([put('a', '2'), remove('b'), { key: everyByte(), value: everyByte() }], 9);
      space.write([], 12);
      const before = await allRows(space);
      space = await opened.reopen();
      expect(space.appliedIndex).toBe(12);
      expect(await allRows(space)).toEqual(before);
      expect(hexOrUndefined(space.get(ascii('a')))).toBe(hex(ascii('2')));
      expect(space.get(ascii('b'))).toBeUndefined();
      expect(() => space.write([], 12)).toThrow();
      space.write([put('b', '3')], 13);
      expect(hexOrUndefined(space.get(ascii('b')))).toBe(hex(ascii('3')));
    });

    it('equals an ordered map after any sequence of batches', async () => {
      const key = fc.uint8Array({ minLength: 1, maxLength: 3 });
      const change = fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined }) });
      const batches = fc.array(fc.array(change, { maxLength: 12 }), { minLength: 1, maxLength: 12 });
      let index = 0;
      let run = 0;
      await fc.assert(
        fc.asyncProperty(batches, key, key, fc.integer({ min: 0, max: 8 }), async (sequence, low, high, limit) => {
          // Every run has a prefix of its own, so that one space serves all of them.
          const prefix = Uint8Array.of(run >> 8, run & 0xff);
          run++;
          const model = new Map<string, string>();
          const keys: Uint8Array[] = [];
          for (const batch of sequence) {
            const changes = batch.map((each) => ({ key: joined(prefix, each.key), value: each.value?.slice() }));
            for (const each of changes) {
              keys.push(each.key.slice());
              if (each.value === undefined) model.delete(hex(each.key));
              else model.set(hex(each.key), hex(each.value));
            }
            space.write(changes, ++index);
            for (const each of keys) expect(hexOrUndefined(space.get(each))).toBe(model.get(hex(each)));
          }
          // Hexadecimal text sorts as the bytes do, and a prefix comes first there too.
          const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
          const from = joined(prefix, low);
          const to = joined(prefix, high);
          expect(await scanned(space, from, to, limit)).toEqual(
            sorted.filter(([each]) => each >= hex(from) && each < hex(to)).slice(0, limit),
          );
          expect(await scanned(space, prefix, joined(prefix, new Uint8Array(5).fill(0xff)), 1_000)).toEqual(sorted);
          expect(space.appliedIndex).toBe(index);
        }),
        { numRuns: 60 },
      );
    });
  });
}

function scanned(space: KeySpace, from: Uint8Array, to: Uint8Array, limit: number): Promise<[string, string][]> {
  return new Promise((resolve, reject) => {
    space.scan(from, to, limit, (error: Error | undefined, rows: readonly Row[]) => {
      if (error !== undefined) reject(error);
      else resolve(rows.map(({ key, value }) => [hex(key), hex(value)]));
    });
  });
}

function allRows(space: KeySpace): Promise<[string, string][]> {
  return scanned(space, Uint8Array.of(0), new Uint8Array(8).fill(0xff), 10_000);
}

function keysOf(rows: [string, string][]): string[] {
  return rows.map(([key]) => text(fromHex(key)));
}

function put(key: string, value: string): RowChange {
  return { key: ascii(key), value: ascii(value) };
}

function remove(key: string): RowChange {
  return { key: ascii(key), value: undefined };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.of(...a, ...b);
}

function everyByte(): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, i) => i);
}

function hexOrUndefined(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : hex(bytes);
}
