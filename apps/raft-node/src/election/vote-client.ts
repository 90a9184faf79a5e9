import { Injectable } from '@nestjs/common';
import { Metadata } from '@grpc/grpc-js';
import type { RequestVote } from '@app/raft';
import { Channels, ElectionClient } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { PeerInbox } from '../peers/peer-inbox.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { fromWireResponse, toWireRequest } from './vote-wire.js';

/** Asks other members for their votes. A lost question is not repeated: the candidate's next campaign is the repetition. */
@Injectable()
export class VoteClient {
  constructor(
    private readonly config: RaftNodeConfig,
    private readonly directory: PeerDirectory,
    private readonly channels: Channels,
    private readonly inbox: PeerInbox,
  ) {}

  send(message: RequestVote): void {
    const address = this.directory.addressOf(message.to);
    if (address === undefined) return;
    const client = this.channels.channelTo(address).client(ElectionClient);
    // After two election timeouts the candidate has begun another campaign, and the answer would be stale.
    const deadline = Date.now() + 2 * this.config.electionTimeoutMs;
    client.requestVote(
      toWireRequest(this.directory.clusterId, message),
      new Metadata(),
      { deadline },
      (error, response) => {
        if (!error) this.inbox.received(fromWireResponse(message, response));
      },
    );
  }
}
