import { CommandFailure } from '../command-failure.js';
import { keyPath, keyText, parseKey, textOf } from './key-argument.js';

describe('a key on the command line', () => {
  it.each([
    ['a/ä', 'utf8', '612fc3a4'],
    ['00FF', 'hex', '00ff'],
    ['AP8=', 'base64', '00ff'],
    ['AP8', 'base64', '00ff'],
  ] as const)('"%s" as %s is 0x%s', (text, keyEncoding, hex) => {
    expect(parseKey(text, { keyEncoding }).toString('hex')).toBe(hex);
  });

  it.each([
    ['', 'utf8', 'the key is empty'],
    ['', 'hex', 'the key is empty'],
    ['abc', 'hex', 'not written in hex'],
    ['zz', 'hex', 'not written in hex'],
    ['a*b', 'base64', 'not written in base64'],
    ['a\ufffdb', 'utf8', 'no valid UTF-8'],
  ] as const)('"%s" as %s is refused: %s', (text, keyEncoding, why) => {
    expect(() => parseKey(text, { keyEncoding })).toThrow(CommandFailure);
    expect(() => parseKey(text, { keyEncoding })).toThrow(why);
  });

  it('goes into a path with nothing in it that a path could mean', () => {
    expect(keyPath(Buffer.from('..'))).toBe('/v1/kv/%2E%2E');
    expect(keyPath(Buffer.from('a/b?c#d%e {x}'))).toBe('/v1/kv/a%2Fb%3Fc%23d%25e%20%7Bx%7D');
    expect(keyPath(Buffer.from([0, 255]))).toBe('/v1/kv/%00%FF');
  });

  it('is shown as text only if it is text that stays on its line', () => {
    expect(keyText(Buffer.from('grüße'))).toBe('grüße');
    expect(keyText(Buffer.from('a\u001b[2J'))).toBe('0x611b5b324a');
    expect(keyText(Buffer.from([255]))).toBe('0xff');
    expect([textOf(Buffer.from([255])), textOf(Buffer.from('\ufeffa'))]).toEqual([null, '\ufeffa']);
  });
});
