import { validateSync } from 'class-validator';
import { IsHostPort, IsListenAddress, formatHostPort, parseHostPort } from './host-port.js';

describe('parseHostPort', () => {
  it.each([
    ['127.0.0.1:7001', '127.0.0.1', 7001],
    ['localhost:0', 'localhost', 0],
    ['node-1.example.com:65535', 'node-1.example.com', 65535],
    ['raft_node:1', 'raft_node', 1],
    ['[::1]:7001', '::1', 7001],
    ['[fe80::1]:80', 'fe80::1', 80],
    ['[::ffff:10.0.0.1]:80', '::ffff:10.0.0.1', 80],
  ])('reads %j, and formatHostPort writes it back', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
    expect(formatHostPort({ host, port })).toBe(text);
  });

  it.each([
    '',
    'localhost',
    ':80',
    'localhost:',
    'localhost:http',
    'localhost:65536',
    'localhost:-1',
    'localhost:8e1',
    '::1:7001',
    '[::1]',
    '[::1:80',
    '[localhost]:80',
    '[127.0.0.1]:80',
    '256.0.0.1:80',
    '1.2.3:80',
    'a..b:80',
    '-a:80',
    'a b:80',
    'http://a:80',
    'a:80 ',
    `${'a'.repeat(64)}:80`,
  ])('refuses %j and says what is allowed', (text) => {
    expect(() => parseHostPort(text)).toThrow(
      'must be host:port, an IPv6 host in brackets ([::1]:7001), the port from 0 to 65535',
    );
  });
});

describe('the decorators', () => {
  class Addresses {
    @IsListenAddress()
    listen: unknown = '127.0.0.1:0';

    @IsHostPort()
    peer: unknown = '127.0.0.1:1';
  }

  const messages = (parts: Partial<Addresses>): string[] =>
    validateSync(Object.assign(new Addresses(), parts)).flatMap(({ constraints }) => Object.values(constraints ?? {}));

  it('let a server listen on any free port, but nobody connect to port 0', () => {
    expect(messages({})).toEqual([]);
    expect(messages({ peer: '127.0.0.1:0' })).toEqual([
      'peer must be host:port, an IPv6 host in brackets ([::1]:7001), the port from 1 to 65535',
    ]);
  });

  it('refuse what is no text', () => {
    expect(messages({ listen: 8080, peer: undefined })).toHaveLength(2);
  });
});
