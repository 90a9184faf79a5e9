import { Injectable } from '@nestjs/common';
import type { Message } from '@app/raft';
import { VoteClient } from '../election/vote-client.js';
import { VoteDesk } from '../election/vote-desk.js';
import { LeaderStreams } from '../replication/leader-streams.js';
import { PeerStreams } from '../replication/peer-streams.js';

/**
 * Sends each kind of message its own way. Like the network that it stands for, it may lose any of them: so it does with those of
 * snapshots, transfers and follower reads, which nothing in this process asks the core for yet.
 */
@Injectable()
export class PeerTransport {
  constructor(
    private readonly voteClient: VoteClient,
    private readonly voteDesk: VoteDesk,
    private readonly peerStreams: PeerStreams,
    private readonly leaderStreams: LeaderStreams,
  ) {}

  send(messages: readonly Message[]): void {
    for (const message of messages) {
      switch (message.type) {
        case 'RequestVote':
          this.voteClient.send(message);
          break;
        case 'RequestVoteResponse':
          this.voteDesk.answer(message);
          break;
        case 'AppendEntries':
          this.peerStreams.send(message);
          break;
        case 'AppendEntriesResponse':
          this.leaderStreams.answer(message);
          break;
      }
    }
  }
}
