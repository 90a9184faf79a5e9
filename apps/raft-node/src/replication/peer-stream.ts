import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { AppendEntries, AppendEntriesResponse, NodeId } from '@app/raft';
import {
  ReplicationClient,
  type AppendEntriesRequest,
  type AppendEntriesResponse as WireResponse,
  type Channel,
} from '@app/rpc';
import { fromWireResponse, toWireRequest } from './append-wire.js';

type Call = ClientDuplexStream<AppendEntriesRequest, WireResponse>;

export interface PeerStreamEvents {
  /** `incarnation` is the follower's, if it named one. */
  received(response: AppendEntriesResponse, incarnation: string | undefined): void;
  /** Something was lost: the core goes back to probing. */
  unreachable(id: NodeId): void;
  opened(id: NodeId): void;
  /** Once per outage, with its reason. */
  broken(id: NodeId, reason: string): void;
}

/**
 * The AppendEntries stream to one follower. It keeps nothing: what cannot be written now is dropped and reported, and the
 * core, which bounds what is in flight, sends it again. A broken stream is opened again by the next message,
 * at most once per `reopenDelayMs`.
 */
export class PeerStream {
  private call: Call | undefined;
  private isWriterFull = false;
  private isOutage = false;
  private nextOpenMs = -Infinity;
  private isClosed = false;

  constructor(
    private readonly clusterId: string,
    private readonly selfId: NodeId,
    private readonly selfIncarnation: string,
    readonly peerId: NodeId,
    /** As the configuration in force has it. */
    private readonly peerIncarnation: () => string,
    readonly channel: Channel,
    private readonly reopenDelayMs: number,
    private readonly events: PeerStreamEvents,
  ) {}

  send(message: AppendEntries): void {
    const call = this.call ?? this.open();
    if (call === undefined || this.isWriterFull) {
      // A lost heartbeat costs nothing; lost entries the core must know of.
      if (message.entries.length > 0) this.events.unreachable(this.peerId);
      return;
    }
    this.isWriterFull = !call.write(
      toWireRequest(this.clusterId, this.selfIncarnation, this.peerIncarnation(), message),
    );
  }

  close(): void {
    this.isClosed = true;
    this.call?.cancel();
  }

  private open(): Call | undefined {
    const now = performance.now();
    if (this.isClosed || now < this.nextOpenMs) return undefined;
    this.nextOpenMs = now + this.reopenDelayMs;
    const call = this.channel.client(ReplicationClient).appendEntries();
    this.call = call;
    this.isWriterFull = false;
    call.on('data', (wire: WireResponse) => {
      if (this.isOutage) {
        this.isOutage = false;
        this.events.opened(this.peerId);
      }
      this.events.received(fromWireResponse(this.selfId, this.peerId, wire), wire.incarnation || undefined);
    });
    call.on('drain', () => {
      this.isWriterFull = false;
    });
    call.on('error', (error) => this.broke(call, error.message));
    call.on('end', () => this.broke(call, 'the peer ended the stream'));
    return call;
  }

  private broke(call: Call, reason: string): void {
    if (this.call !== call) return;
    this.call = undefined;
    call.cancel();
    if (this.isClosed) return;
    this.events.unreachable(this.peerId);
    if (this.isOutage) return;
    this.isOutage = true;
    this.events.broken(this.peerId, reason);
  }
}
