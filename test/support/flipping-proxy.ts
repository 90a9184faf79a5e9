import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

/** Passes on what goes through, except that it can flip one bit of what clients send. */
export class FlippingProxy {
  /** host:port, to be set before the first connection. */
  target = '';
  flips = 0;
  private marker: Buffer | undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (client) => this.accept(client));
  }

  /** On a free port of 127.0.0.1. */
  static async listen(): Promise<FlippingProxy> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: HOST, port: 0 }, resolve);
    });
    return new FlippingProxy(server);
  }

  /** host:port */
  get address(): string {
    return `${HOST}:${(this.server.address() as AddressInfo).port}`;
  }

  /** One bit at the end of these bytes, once, when they next come by in one piece. */
  flipOnceIn(marker: string): void {
    this.marker = Buffer.from(marker);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private accept(client: Socket): void {
    const colon = this.target.lastIndexOf(':');
    const server = connect({
      host: this.target.slice(0, colon),
      port: Number(this.target.slice(colon + 1)),
      noDelay: true,
    });
    client.on('data', (data: Buffer) => this.flip(data));
    client.pipe(server).pipe(client);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
  }

  /** In place, before the pipe writes it on. */
  private flip(data: Buffer): void {
    if (this.marker === undefined) return;
    const at = data.indexOf(this.marker);
    if (at < 0) return;
    data[at + this.marker.length - 1]! ^= 1;
    this.marker = undefined;
    this.flips += 1;
  }
}
