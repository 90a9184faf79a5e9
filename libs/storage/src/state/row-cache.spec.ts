import { row, textOf, utf8 } from '../testing/state-fixture.js';
import { nameOf } from './pending-changes.js';
import { RowCache } from './row-cache.js';

const KIBIBYTE = 1024;
const name = (key: string): string => nameOf(utf8(key));
const read = (cache: RowCache, key: string): string | undefined => textOf(cache.get(name(key)));

describe('RowCache', () => {
  it('follows what is written of the rows that it has, and takes in no others', () => {
    const cache = new RowCache(64 * KIBIBYTE);
    cache.put(name('a'), utf8('1'));
    cache.put(name('b'), utf8('1'));
    cache.follow([row('a', '2'), row('b', undefined), row('c', '2')]);
    expect([read(cache, 'a'), read(cache, 'b'), read(cache, 'c')]).toEqual(['2', undefined, undefined]);
    cache.follow([row('a', ''), row('b', '3')]);
    expect([read(cache, 'a'), read(cache, 'b')]).toEqual(['', undefined]);
    cache.clear();
    expect(read(cache, 'a')).toBeUndefined();
  });

  it('keeps within its bytes, and what was read last', () => {
    const cache = new RowCache(64 * KIBIBYTE);
    cache.put(name('kept'), utf8('1'));
    for (let i = 0; i < 1_000; i++) {
      cache.put(name(`k${i}`), new Uint8Array(KIBIBYTE));
      expect(read(cache, 'kept')).toBe('1');
    }
    const left = Array.from({ length: 1_000 }, (_, i) => i).filter((i) => cache.get(name(`k${i}`)) !== undefined);
    expect(left.length).toBeLessThanOrEqual(64);
    expect(left).toEqual(Array.from({ length: left.length }, (_, i) => 1_000 - left.length + i));
  });

  it('has no old value of a row that has grown too large for it', () => {
    const cache = new RowCache(64 * KIBIBYTE);
    cache.put(name('a'), utf8('1'));
    cache.follow([{ key: utf8('a'), value: new Uint8Array(65 * KIBIBYTE) }]);
    expect(cache.get(name('a'))).toBeUndefined();
  });
});
