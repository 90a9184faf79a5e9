import { Injectable } from '@nestjs/common';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { AppendEntriesResponse, NodeId } from '@app/raft';
import { toServiceError, type AppendEntriesRequest, type AppendEntriesResponse as WireResponse } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { PeerInbox } from '../peers/peer-inbox.js';
import { fromWireRequest, toWireResponse } from './append-wire.js';

type Call = ServerDuplexStream<AppendEntriesRequest, WireResponse>;

/**
 * The AppendEntries streams that leaders have opened to this node. Answers go out on the newest stream of the leader
 * that they are for. Reading pauses while the leader does not take the answers.
 */
@Injectable()
export class LeaderStreams {
  private readonly calls = new Map<NodeId, Call>();

  constructor(
    private readonly directory: PeerDirectory,
    private readonly inbox: PeerInbox,
  ) {}

  serve(call: Call): void {
    let leaderId: NodeId | undefined;
    const forget = () => {
      if (leaderId === undefined || this.calls.get(leaderId) !== call) return;
      this.calls.delete(leaderId);
      this.inbox.disconnected(leaderId);
    };
    call.on('data', (request: AppendEntriesRequest) => {
      try {
        const { clusterId, recipientId, leaderId: senderId, recipientIncarnation } = request;
        this.directory.assertAddressedToSelf(clusterId, recipientId, senderId, recipientIncarnation);
        const message = fromWireRequest(request);
        if (leaderId !== message.from) {
          forget();
          leaderId = message.from;
          this.calls.set(leaderId, call);
        }
        this.inbox.received(message, request.incarnation || undefined);
      } catch (error) {
        forget();
        call.emit('error', toServiceError(error));
      }
    });
    call.on('drain', () => call.resume());
    call.on('end', () => {
      forget();
      call.end();
    });
    call.on('cancelled', forget);
    call.on('error', forget);
  }

  answer(response: AppendEntriesResponse): void {
    const call = this.calls.get(response.to);
    if (call !== undefined && !call.write(toWireResponse(this.directory.selfIncarnation, response))) call.pause();
  }
}
