import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TcpProxy } from './tcp-proxy.js';

/** Long enough for bytes on loopback to arrive if anything lets them through. */
const QUIET_MS = 100;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Collects what a socket receives, and how it ended. */
class End {
  text = '';
  ended: 'no' | 'end' | 'reset' = 'no';
  private wake: () => void = () => undefined;

  constructor(readonly socket: Socket) {
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      this.text += part;
      this.wake();
    });
    socket.on('end', () => {
      this.ended = 'end';
      this.wake();
    });
    socket.on('error', () => {
      this.ended = 'reset';
      this.wake();
    });
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.wake = resolve));
  }
}

describe('TcpProxy', () => {
  let server: Server;
  let proxy: TcpProxy;
  let accepted: End[];
  let clients: End[];

  beforeEach(async () => {
    accepted = [];
    clients = [];
    server = createServer((socket) => accepted.push(new End(socket)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await TcpProxy.listen(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  });

  afterEach(async () => {
    for (const { socket } of [...clients, ...accepted]) socket.destroy();
    await proxy.close();
    server.close();
  });

  /** A connection through the proxy: both of its ends. */
  async function open(): Promise<{ client: End; peer: End }> {
    const client = new End(connect(Number(proxy.address.split(':')[1]), '127.0.0.1'));
    clients.push(client);
    const before = accepted.length;
    client.socket.write('hello');
    while (accepted.length === before) await pause(1);
    const peer = accepted[before]!;
    await peer.until(() => peer.text === 'hello');
    peer.text = '';
    return { client, peer };
  }

  it('passes bytes, ends and resets both ways, and counts', async () => {
    const { client, peer } = await open();
    peer.socket.write('answer');
    await client.until(() => client.text === 'answer');
    client.socket.end('bye');
    await peer.until(() => peer.ended === 'end');
    expect(peer.text).toBe('bye');
    expect(proxy.counts).toEqual({ connections: 1, resets: 0, forwardBytes: 8, backwardBytes: 6 });

    const other = await open();
    other.peer.socket.resetAndDestroy();
    await other.client.until(() => other.client.ended === 'reset');
    expect(proxy.counts).toMatchObject({ connections: 2, resets: 0, forwardBytes: 13 });
  });

  it('resets a client when nobody listens behind it', async () => {
    server.close();
    await once(server, 'close');
    const client = new End(connect(Number(proxy.address.split(':')[1]), '127.0.0.1'));
    clients.push(client);
    await client.until(() => client.ended === 'reset');
    expect(client.text).toBe('');
  });

  it('cut: nothing comes through, not even an end, and nobody is told', async () => {
    const { client, peer } = await open();
    proxy.cut();
    client.socket.write('to server');
    peer.socket.write('to client');
    const late = await new Promise<End>((resolve) => {
      const socket = connect(Number(proxy.address.split(':')[1]), '127.0.0.1', () => resolve(new End(socket)));
    });
    clients.push(late);
    late.socket.write('also');
    while (accepted.length < 2) await pause(1);
    await pause(QUIET_MS);
    client.socket.end();
    await pause(QUIET_MS);
    expect([client.text, peer.text, late.text]).toEqual(['', '', '']);
    expect([client.ended, peer.ended, late.ended]).toEqual(['no', 'no', 'no']);
    expect(accepted.slice(1).map(({ text }) => text)).toEqual(['']);

    proxy.heal();
    await peer.until(() => peer.ended === 'end');
    await client.until(() => client.text !== '');
    expect([client.text, peer.text]).toEqual(['to client', 'to server']);
    await accepted[1]!.until(() => accepted[1]!.text === 'also');
  });

  it('cut: a reset is not told either', async () => {
    const { client, peer } = await open();
    proxy.cut();
    client.socket.resetAndDestroy();
    await pause(QUIET_MS);
    expect(peer.ended).toBe('no');
    proxy.heal();
    await peer.until(() => peer.ended === 'reset');
    expect(peer.text).toBe('');
  });

  it.each([
    { direction: 'forward', other: 'backward' },
    { direction: 'backward', other: 'forward' },
  ] as const)('cut one way: nothing goes $direction, everything goes $other', async ({ direction }) => {
    const { client, peer } = await open();
    proxy.cut(direction);
    client.socket.write('to server');
    peer.socket.write('to client');
    const listener = direction === 'forward' ? client : peer;
    await listener.until(() => listener.text !== '');
    await pause(QUIET_MS);
    expect([client.text, peer.text]).toEqual(direction === 'forward' ? ['to client', ''] : ['', 'to server']);
    proxy.heal();
    const shut = direction === 'forward' ? peer : client;
    await shut.until(() => shut.text !== '');
    expect([client.text, peer.text]).toEqual(['to client', 'to server']);
  });

  it('stops reading from who sends without end into a cut link, and loses nothing of it', async () => {
    const { client, peer } = await open();
    proxy.cut();
    const bytes = 16 * 1024 * 1024;
    client.socket.write(Buffer.alloc(bytes, 'x'));
    await pause(QUIET_MS);
    expect(client.socket.writableLength).toBeGreaterThan(bytes / 4);
    proxy.heal();
    await peer.until(() => peer.text.length === bytes);
    expect(peer.text.startsWith('xxx')).toBe(true);
  });

  it('reset: ends what is open on both sides, and lets new connections through', async () => {
    const { client, peer } = await open();
    expect(proxy.reset()).toBe(1);
    await Promise.all([client, peer].map((end) => end.until(() => end.ended !== 'no')));
    expect([client.ended, peer.ended]).toEqual(['reset', 'reset']);
    const next = await open();
    expect(next.client.ended).toBe('no');
    expect(proxy.counts).toMatchObject({ connections: 2, resets: 1, forwardBytes: 10 });
  });

  it('refuse: resets also new connections, until it is healed', async () => {
    const { client } = await open();
    proxy.refuse();
    await client.until(() => client.ended === 'reset');
    const refused = new End(connect(Number(proxy.address.split(':')[1]), '127.0.0.1'));
    await refused.until(() => refused.ended === 'reset');
    proxy.heal();
    expect((await open()).client.ended).toBe('no');
  });

  it('delays each piece by at least so much, and keeps the order in spite of jitter', async () => {
    const { client, peer } = await open();
    proxy.set({ delayMs: 60, jitterMs: 60 }, ['forward']);
    const startedAt = performance.now();
    for (const letter of 'abcdefgh') {
      client.socket.write(letter);
      await pause(5);
    }
    await peer.until(() => peer.text.length === 8);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(60);
    expect(peer.text).toBe('abcdefgh');
    peer.socket.write('prompt');
    await client.until(() => client.text === 'prompt');
  });

  it('throttles to so many bytes a second', async () => {
    const { client, peer } = await open();
    proxy.set({ bytesPerSecond: 50_000 });
    const startedAt = performance.now();
    client.socket.write(Buffer.alloc(15_000, 'x'));
    await peer.until(() => peer.text.length === 15_000);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(250);
  });
});
