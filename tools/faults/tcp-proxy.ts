import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { Lane, type LinkQuality } from './lane.js';

const HOST = '127.0.0.1';

/** Towards the server behind the proxy, or back to the client. */
export type Direction = 'forward' | 'backward';
export const DIRECTIONS: readonly Direction[] = ['forward', 'backward'];

export interface ProxyCounts {
  readonly connections: number;
  /** Connections that were ended by `reset`, or refused by `refuse`. */
  readonly resets: number;
  readonly forwardBytes: number;
  readonly backwardBytes: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly lanes: Readonly<Record<Direction, Lane>>;
}

/**
 * A TCP proxy in front of one server that can break the link in the ways a network does. All that is asked of it holds for present and
 * later connections, until `heal`.
 */
export class TcpProxy {
  private readonly pairs = new Set<Pair>();
  private readonly quality: Record<Direction, LinkQuality> = { forward: {}, backward: {} };
  private isRefusing = false;
  private connections = 0;
  private resets = 0;
  private readonly endedBytes = { forward: 0, backward: 0 };

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; readonly port: number },
    /** From 0 inclusive to 1 exclusive. */
    private readonly draw: () => number,
  ) {
    server.on('connection', (client) => this.accept(client));
  }

  /** Listens on a free port of 127.0.0.1. `target` is host:port and need not be there yet. */
  static async listen(target: string, draw: () => number = Math.random): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: HOST, port: 0 }, resolve);
    });
    const colon = target.lastIndexOf(':');
    return new TcpProxy(server, { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) }, draw);
  }

  /** host:port */
  get address(): string {
    return `${HOST}:${(this.server.address() as AddressInfo).port}`;
  }

  get counts(): ProxyCounts {
    const bytesOf = (direction: Direction): number =>
      [...this.pairs].reduce((sum, { lanes }) => sum + lanes[direction].bytes, this.endedBytes[direction]);
    const { connections, resets } = this;
    return { connections, resets, forwardBytes: bytesOf('forward'), backwardBytes: bytesOf('backward') };
  }

  /** A black hole in one direction, or in both: connections hang, new ones too. */
  cut(...directions: readonly Direction[]): void {
    this.set({ isCut: true }, directions);
  }

  /** Adds to what holds already. */
  set(quality: LinkQuality, directions: readonly Direction[] = DIRECTIONS): void {
    for (const direction of directions.length > 0 ? directions : DIRECTIONS) {
      this.quality[direction] = { ...this.quality[direction], ...quality };
      for (const { lanes } of this.pairs) lanes[direction].set(this.quality[direction]);
    }
  }

  /** Ends all connections with a TCP reset towards both sides. New ones are let through. Gives how many there were. */
  reset(): number {
    const count = this.pairs.size;
    for (const pair of this.pairs) this.end(pair);
    this.resets += count;
    return count;
  }

  /** As `reset`, and new connections are reset at once. */
  refuse(): void {
    this.isRefusing = true;
    this.reset();
  }

  /** The link is whole: what was held back is delivered. */
  heal(): void {
    this.isRefusing = false;
    for (const direction of DIRECTIONS) {
      this.quality[direction] = {};
      for (const { lanes } of this.pairs) lanes[direction].set({});
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const pair of this.pairs) this.end(pair);
    await closed;
  }

  private accept(client: Socket): void {
    if (this.isRefusing) {
      this.resets += 1;
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    this.connections += 1;
    const server = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    const pair: Pair = {
      client,
      server,
      lanes: {
        forward: new Lane(client, server, this.draw, this.quality.forward),
        backward: new Lane(server, client, this.draw, this.quality.backward),
      },
    };
    this.pairs.add(pair);
    for (const socket of [client, server]) {
      socket.on('close', () => {
        if (client.destroyed && server.destroyed) this.end(pair);
      });
    }
  }

  private end(pair: Pair): void {
    if (!this.pairs.delete(pair)) return;
    for (const direction of DIRECTIONS) {
      this.endedBytes[direction] += pair.lanes[direction].bytes;
      pair.lanes[direction].close();
    }
    pair.client.resetAndDestroy();
    pair.server.resetAndDestroy();
  }
}
