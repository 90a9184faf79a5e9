import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** TCP between a client and a server on this machine, which can be cut and frozen. */
export class BreakableLink {
  private readonly sockets = new Set<Socket>();
  private isFrozen = false;
  connections = 0;

  private readonly server = createServer((inner) => {
    this.connections += 1;
    const outer = connect(this.targetPort, '127.0.0.1');
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (bytes) => to.write(bytes));
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      if (this.isFrozen) from.pause();
    }
  });

  private constructor(public targetPort: number) {}

  static async to(targetPort: number): Promise<BreakableLink> {
    const link = new BreakableLink(targetPort);
    await new Promise<void>((resolve) => link.server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resets all connections; new ones are taken at once. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Connections stay, and nothing comes through: what a stopped process looks like. */
  freeze(): void {
    this.isFrozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  thaw(): void {
    this.isFrozen = false;
    for (const socket of this.sockets) socket.resume();
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}
