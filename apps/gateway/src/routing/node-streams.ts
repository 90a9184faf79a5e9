import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Channels, ExecuteStream, type Channel } from '@app/rpc';
import { GatewayConfig } from '../gateway.config.js';

/** One channel and one Execute stream to each node, opened when first used. */
@Injectable()
export class NodeStreams implements OnApplicationShutdown {
  private readonly channels = new Channels();
  private readonly streams = new Map<string, ExecuteStream>();

  constructor(private readonly config: GatewayConfig) {}

  channelTo(address: string): Channel {
    return this.channels.channelTo(address);
  }

  streamTo(address: string): Pick<ExecuteStream, 'execute'> {
    let stream = this.streams.get(address);
    if (stream === undefined) {
      const { pendingOperationsMax, pendingBytesMax, framesInFlightMax } = this.config;
      stream = new ExecuteStream(this.channelTo(address), { pendingOperationsMax, pendingBytesMax, framesInFlightMax });
      this.streams.set(address, stream);
    }
    return stream;
  }

  /** The HTTP server has closed by now: no request waits for a stream. */
  onApplicationShutdown(): void {
    for (const stream of this.streams.values()) stream.close();
    this.channels.close();
  }
}
