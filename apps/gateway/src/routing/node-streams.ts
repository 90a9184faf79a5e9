import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Channels, ExecuteStream, type Channel } from '@app/rpc';
import { GatewayConfig } from '../gateway.config.js';

interface Connection {
  readonly channel: Channel;
  /** By the cluster that the node is to be of. More than one only where an address is wrong. */
  readonly streams: Map<string, ExecuteStream>;
  /** Since when no member has been known to be there. */
  unusedSinceMs: number | undefined;
}

/** One channel and one Execute stream to each node, opened when first used. */
@Injectable()
export class NodeStreams implements OnApplicationShutdown {
  private readonly channels: Channels;
  private readonly connections = new Map<string, Connection>();

  constructor(private readonly config: GatewayConfig) {
    this.channels = new Channels({ reroutes: config.reroutes });
  }

  channelTo(address: string): Channel {
    return this.connectionTo(address).channel;
  }

  /** A node of another cluster refuses the stream: an address may have passed to somebody else. */
  streamTo(clusterId: string, address: string): Pick<ExecuteStream, 'execute'> {
    const connection = this.connectionTo(address);
    let stream = connection.streams.get(clusterId);
    if (stream === undefined) {
      const { pendingOperationsMax, pendingBytesMax, framesInFlightMax } = this.config;
      const bounds = { pendingOperationsMax, pendingBytesMax, framesInFlightMax };
      const overlapsWork = Object.keys(this.config.clusters).length === 1;
      stream = new ExecuteStream(connection.channel, { ...bounds, overlapsWork, clusterId });
      connection.streams.set(clusterId, stream);
    }
    return stream;
  }

  /** Closes what leads to none of these addresses, once no request that was sent there before can still wait for its answer. */
  retain(addresses: ReadonlySet<string>, nowMs = performance.now()): void {
    for (const [address, connection] of this.connections) {
      if (addresses.has(address)) {
        connection.unusedSinceMs = undefined;
        continue;
      }
      connection.unusedSinceMs ??= nowMs;
      if (nowMs - connection.unusedSinceMs <= this.config.requestTimeoutMs) continue;
      this.connections.delete(address);
      for (const stream of connection.streams.values()) stream.close();
      this.channels.forget(address);
    }
  }

  /** Where connections lead, or have led a moment ago. */
  get addresses(): string[] {
    return [...this.connections.keys()];
  }

  /** The HTTP server has closed by now: no request waits for a stream. */
  onApplicationShutdown(): void {
    for (const { streams } of this.connections.values()) for (const stream of streams.values()) stream.close();
    this.channels.close();
  }

  private connectionTo(address: string): Connection {
    let connection = this.connections.get(address);
    if (connection === undefined) {
      connection = { channel: this.channels.channelTo(address), streams: new Map(), unusedSinceMs: undefined };
      this.connections.set(address, connection);
    }
    return connection;
  }
}
