import { validateSync } from 'class-validator';
import { IsAddressMap, formatAddressMap, parseAddressMap } from './address-map.js';

describe('an address map', () => {
  it('is read, and written as it is read', () => {
    const text = '10.0.0.1:7001=127.0.0.1:9001,node-2:7001=[::1]:9002';
    expect(parseAddressMap(text)).toEqual({ '10.0.0.1:7001': '127.0.0.1:9001', 'node-2:7001': '[::1]:9002' });
    expect(formatAddressMap(parseAddressMap(text))).toBe(text);
    expect(parseAddressMap(' a:1 = b:2 ')).toEqual({ 'a:1': 'b:2' });
  });

  it.each(['', 'a:1', 'a:1=', 'a:1=b', 'a:1=b:0', 'a:1=b:2=c:3', 'a:1=b:2,'])('is refused as %j', (text) => {
    expect(() => parseAddressMap(text)).toThrow('must be host:port=host:port pairs');
  });

  it('is checked when it comes as a mapping', () => {
    class Config {
      @IsAddressMap()
      map: unknown = {};
    }
    const faults = (map: unknown) => validateSync(Object.assign(new Config(), { map })).length;
    expect([{}, { 'a:1': 'b:2' }, { 'a:1': 'b' }, { a: 'b:2' }, [], 'a:1=b:2', { 'a:1': 2 }].map(faults)).toEqual([
      0, 0, 1, 1, 1, 1, 1,
    ]);
  });
});
