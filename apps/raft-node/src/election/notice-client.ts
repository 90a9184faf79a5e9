import { Inject, Injectable } from '@nestjs/common';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { LOG, type Log } from '@app/platform';
import type { MembershipNotice, TimeoutNow } from '@app/raft';
import { Channels, ElectionClient } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { toWireNotice, toWireTimeoutNow } from './notice-wire.js';

/**
 * Sends what asks for no answer: "campaign now", and "you are no member". Neither is repeated: a transfer that came to nothing is taken back
 * by the core, and a stranger that goes on is told again.
 */
@Injectable()
export class NoticeClient {
  constructor(
    private readonly config: RaftNodeConfig,
    private readonly directory: PeerDirectory,
    private readonly channels: Channels,
    @Inject(LOG) private readonly log: Log,
  ) {}

  send(message: TimeoutNow | MembershipNotice): void {
    const address = this.directory.addressOf(message.to);
    if (address === undefined) return;
    const client = this.channels.channelTo(address).client(ElectionClient);
    const { clusterId, selfIncarnation } = this.directory;
    // By then a transfer has been taken back.
    const options = { deadline: Date.now() + this.config.electionTimeoutMs };
    const done = (error: ServiceError | null): void => {
      if (error) this.log.debug({ peer: message.to, type: message.type, reason: error.details }, 'a notice was lost');
    };
    if (message.type === 'TimeoutNow') {
      client.timeoutNow(toWireTimeoutNow(clusterId, selfIncarnation, message), new Metadata(), options, done);
    } else {
      client.notifyMembership(toWireNotice(clusterId, message), new Metadata(), options, done);
    }
  }
}
