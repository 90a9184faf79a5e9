import { Injectable } from '@nestjs/common';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import type { StateHashes } from '@app/kv';
import type { LogIndex, NodeId, Term } from '@app/raft';
import { Channels, ConsistencyClient as GrpcClient } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';

/** Longer than a healthy member needs, and short enough for a check to end before the next. */
const TIMEOUT_MS = 2_000;

/** Asks other members about their state, as the leader. A call that fails is no answer; the next check asks again. */
@Injectable()
export class ConsistencyClient {
  constructor(
    private readonly directory: PeerDirectory,
    private readonly channels: Channels,
  ) {}

  /** Undefined if the member did not answer, has not applied the entry yet, or knows its hashes no longer. Never rejects. */
  async stateHashOf(id: NodeId, term: Term, index: LogIndex): Promise<StateHashes | undefined> {
    const client = this.clientOf(id);
    if (client === undefined) return undefined;
    const request = { ...this.addressedTo(id), term, index };
    const response = await answered<{ hashes?: StateHashes | undefined }>((done) =>
      client.stateHash(request, new Metadata(), deadline(), done),
    );
    return response?.hashes;
  }

  /** Whether the member is in quarantine now, as far as it says. Never rejects. */
  async quarantine(
    id: NodeId,
    term: Term,
    index: LogIndex,
    expected: StateHashes,
    agreeingIds: readonly NodeId[],
  ): Promise<boolean> {
    const client = this.clientOf(id);
    if (client === undefined) return false;
    const request = { ...this.addressedTo(id), term, index, expected: { ...expected }, agreeingIds: [...agreeingIds] };
    const response = await answered<{ isQuarantined: boolean }>((done) =>
      client.quarantine(request, new Metadata(), deadline(), done),
    );
    return response?.isQuarantined ?? false;
  }

  private clientOf(id: NodeId) {
    const address = this.directory.addressOf(id);
    return address === undefined ? undefined : this.channels.channelTo(address).client(GrpcClient);
  }

  private addressedTo(recipientId: NodeId) {
    const { clusterId, selfId } = this.directory;
    return { clusterId, leaderId: selfId, recipientId };
  }
}

function deadline(): { deadline: number } {
  return { deadline: Date.now() + TIMEOUT_MS };
}

function answered<Response>(
  call: (done: (error: ServiceError | null, response: Response) => void) => void,
): Promise<Response | undefined> {
  return new Promise((resolve) => call((error, response) => resolve(error ? undefined : response)));
}
