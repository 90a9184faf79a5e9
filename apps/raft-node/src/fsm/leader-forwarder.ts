import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Channels, ExecuteStream, failedResult, type Operation, type Respond } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { OperationDesk } from './operation-desk.js';

/** Passes operations on to the leader, for clients that asked for it. One hop: a node that is no leader either says so. */
@Injectable()
export class LeaderForwarder implements OnApplicationShutdown {
  private readonly streams = new Map<string, ExecuteStream>();

  constructor(
    private readonly channels: Channels,
    private readonly desk: OperationDesk,
    directory: PeerDirectory,
  ) {
    directory.onVacated((address) => {
      this.streams.get(address)?.close();
      this.streams.delete(address);
    });
  }

  forward(operation: Operation, leaderAddress: string, deadlineMs: number, respond: Respond): void {
    const timeoutMs = deadlineMs - performance.now();
    if (timeoutMs <= 0) {
      respond(failedResult('TIMED_OUT', 'no time was left to pass the operation on to the leader'));
      return;
    }
    const { command, consistency, requestId } = operation;
    this.desk.passedOn += 1;
    void this.streamTo(leaderAddress)
      .execute({ command, consistency, timeoutMs, requestId })
      .finally(() => (this.desk.passedOn -= 1))
      .then(respond);
  }

  onApplicationShutdown(): void {
    for (const stream of this.streams.values()) stream.close();
  }

  private streamTo(address: string): ExecuteStream {
    let stream = this.streams.get(address);
    if (stream === undefined) {
      stream = new ExecuteStream(this.channels.channelTo(address));
      this.streams.set(address, stream);
    }
    return stream;
  }
}
