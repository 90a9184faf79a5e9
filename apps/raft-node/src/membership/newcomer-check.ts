import { Injectable } from '@nestjs/common';
import { Metadata } from '@grpc/grpc-js';
import { parseHostPort } from '@app/platform';
import type { NodeId } from '@app/raft';
import { Channels, MembershipClient, RingraftError, Role, type StatusResponse } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';

/** An operator waits for the answer. */
const TIMEOUT_MS = 1_000;

/** Looks at an address before it goes into the configuration: what stands there by mistake would be found out by nobody. */
@Injectable()
export class NewcomerCheck {
  constructor(
    private readonly directory: PeerDirectory,
    private readonly channels: Channels,
  ) {}

  /** Rejects with INVALID_REQUEST for what is no address, and when somebody else than this node answers there. Nobody may answer yet. */
  async check(id: NodeId, address: string): Promise<void> {
    this.assertAddress(address);
    const found = await this.statusAt(address);
    const complaint = found && this.complaintAbout(id, address, found);
    if (complaint !== undefined) throw new RingraftError('INVALID_REQUEST', `address: ${complaint}`);
  }

  private assertAddress(address: string): void {
    try {
      if (parseHostPort(address).port === 0) throw new Error('the port must be from 1 to 65535');
    } catch (error) {
      throw new RingraftError('INVALID_REQUEST', `address: "${address}" ${(error as Error).message}`);
    }
  }

  private complaintAbout(id: NodeId, address: string, found: StatusResponse): string | undefined {
    const { clusterId } = this.directory;
    if (found.clusterId !== clusterId || found.nodeId !== id) {
      return `at ${address} is node ${found.nodeId} of cluster ${found.clusterId}, not ${id} of ${clusterId}`;
    }
    if (found.role === Role.LEADER && id !== this.directory.selfId) {
      return `${id} at ${address} leads a cluster of its own: start it with an empty directory and "--join"`;
    }
    return undefined;
  }

  private statusAt(address: string): Promise<StatusResponse | undefined> {
    // Of its own: the address may turn out to be wrong, and who is there later is another matter.
    const channel = this.channels.ownChannelTo(address, {});
    return new Promise<StatusResponse | undefined>((resolve) => {
      channel
        .client(MembershipClient)
        .status({}, new Metadata(), { deadline: Date.now() + TIMEOUT_MS }, (error, found) =>
          resolve(error ? undefined : found),
        );
    }).finally(() => channel.close());
  }
}
