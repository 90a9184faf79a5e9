import { Inject, Injectable } from '@nestjs/common';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { LOG, type Log } from '@app/platform';
import type { NodeId, RequestVote } from '@app/raft';
import { Channels, ElectionClient } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { PeerInbox } from '../peers/peer-inbox.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { fromWireResponse, toWireRequest } from './vote-wire.js';

/** Asks other members for their votes. A lost question is not repeated: the candidate's next campaign is the repetition. */
@Injectable()
export class VoteClient {
  /** Whose refusal to answer is in the process log. */
  private readonly failing = new Set<NodeId>();

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly directory: PeerDirectory,
    private readonly channels: Channels,
    private readonly inbox: PeerInbox,
    @Inject(LOG) private readonly log: Log,
  ) {}

  send(message: RequestVote): void {
    const address = this.directory.addressOf(message.to);
    if (address === undefined) return;
    const client = this.channels.channelTo(address).client(ElectionClient);
    // After two election timeouts the candidate has begun another campaign, and the answer would be stale.
    const deadline = Date.now() + 2 * this.config.electionTimeoutMs;
    const { clusterId, selfIncarnation: incarnation, selfAddress } = this.directory;
    client.requestVote(
      toWireRequest(
        clusterId,
        { incarnation, address: selfAddress },
        this.directory.incarnationOf(message.to),
        message,
      ),
      new Metadata(),
      { deadline },
      (error, response) => {
        if (error) {
          this.failed(message.to, error);
        } else {
          this.failing.delete(message.to);
          this.inbox.received(fromWireResponse(message, response), response.incarnation || undefined);
        }
      },
    );
  }

  /** Without this an address list that is wrong shows as nothing but a cluster without a leader. */
  private failed(peer: NodeId, error: ServiceError): void {
    // A peer that hears from a leader leaves the question open.
    if (error.code === status.DEADLINE_EXCEEDED || this.failing.has(peer)) return;
    this.failing.add(peer);
    this.log.warn({ peer, reason: error.details }, 'a peer could not be asked for its vote');
  }
}
