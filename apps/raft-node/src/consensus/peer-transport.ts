import { Injectable } from '@nestjs/common';
import type { Message } from '@app/raft';
import { NoticeClient } from '../election/notice-client.js';
import { VoteClient } from '../election/vote-client.js';
import { VoteDesk } from '../election/vote-desk.js';
import { LeaderStreams } from '../replication/leader-streams.js';
import { PeerStreams } from '../replication/peer-streams.js';

/**
 * Sends each kind of message its own way. Like the network that it stands for, it may lose any of them. Two kinds it always loses:
 * those of follower reads, which nothing in this process asks the core for, since followers forward operations to the leader. An
 * `InstallSnapshot` does not come this way: it travels with its state.
 */
@Injectable()
export class PeerTransport {
  constructor(
    private readonly voteClient: VoteClient,
    private readonly voteDesk: VoteDesk,
    private readonly noticeClient: NoticeClient,
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
        case 'TimeoutNow':
        case 'MembershipNotice':
          this.noticeClient.send(message);
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
