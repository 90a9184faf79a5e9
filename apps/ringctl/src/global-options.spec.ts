import { Command } from 'commander';
import { addGlobalOptions, parseAddress, parseDuration, wholeNumber, type GlobalOptions } from './global-options.js';

function optionsOf(...argv: string[]): GlobalOptions {
  const program = addGlobalOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return program.parse(argv, { from: 'user' }).opts<GlobalOptions>();
}

describe('the options of every command', () => {
  it('are these unless told otherwise', () => {
    expect(optionsOf()).toEqual({ endpoint: ['http://127.0.0.1:8080'], output: 'table', timeout: 10_000 });
  });

  it('take lists of endpoints and nodes', () => {
    expect(optionsOf('-e', 'a:1, https://b/x/', '-n', '[::1]:7001,c:2')).toMatchObject({
      endpoint: ['http://a:1', 'https://b/x'],
      node: ['[::1]:7001', 'c:2'],
    });
  });

  it.each(['', ',', 'a,,b', 'http://', 'http://a?b', 'http://a#b', 'http://u:p@a', 'ftp://a'])(
    '"%s" is no endpoint',
    (text) => expect(() => optionsOf('-e', text)).toThrow(),
  );

  it.each([
    ['1ms', 1],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['24h', 86_400_000],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '1', 's', '-1s', '0s', '0.0001s', '25h', '1d', '1e3s', 'Infinitys', ' 1s'])(
    '"%s" is no duration',
    (text) => expect(() => parseDuration(text)).toThrow('It must be a duration'),
  );

  it.each(['host', 'host:', ':1', 'host:0', 'host:65536', 'host:1/x', 'u@host:1', '::1:1', 'a b:1'])(
    '"%s" is no address',
    (text) => expect(() => parseAddress(text)).toThrow('It must be host:port'),
  );

  it('whole numbers have bounds', () => {
    const parse = wholeNumber(1, 10);
    expect([parse('1'), parse('10')]).toEqual([1, 10]);
    for (const text of ['0', '11', '1.5', '-1', '', '0x5', '1e1']) expect(() => parse(text)).toThrow('from 1 to 10');
  });
});
