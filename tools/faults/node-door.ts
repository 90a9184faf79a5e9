import { Metadata, type CallOptions, type ClientUnaryCall, type ServiceError } from '@grpc/grpc-js';
import { decodeAnswer, encodeCommand } from '@app/kv';
import {
  Channel,
  Consistency,
  ExecuteStream,
  MembershipClient,
  RingraftError,
  fromServiceError,
  Role,
  errorOfResult,
  type StatusResponse,
} from '@app/rpc';

const STATUS_TIMEOUT_MS = 500;
const READ_TIMEOUT_MS = 5_000;
/** More than a node itself waits for what stands in the way. */
const CHANGE_TIMEOUT_MS = 15_000;

type AdminCall<Req> = (
  request: Req,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null) => void,
) => ClientUnaryCall;

export interface HeldRecord {
  /** As UTF-8. */
  readonly value: string;
  readonly revision: number;
}

/** What the harness itself asks of a node, past the proxies. */
export class NodeDoor {
  private readonly channel: Channel;
  private readonly stream: ExecuteStream;
  private isClosed = false;

  constructor(address: string) {
    this.channel = new Channel(address);
    this.stream = new ExecuteStream(this.channel);
  }

  /** `undefined` when it does not answer soon. */
  status(): Promise<StatusResponse | undefined> {
    if (this.isClosed) return Promise.resolve(undefined);
    const deadline = Date.now() + STATUS_TIMEOUT_MS;
    return new Promise((resolve) => {
      this.channel
        .client(MembershipClient)
        .status({}, new Metadata(), { deadline }, (error, response) => resolve(error ? undefined : response));
    });
  }

  /** What this very node holds under the key, be it leader or not; null if nothing. Rejects with a `RingraftError`. */
  async heldRecord(key: string): Promise<HeldRecord | null> {
    const command = encodeCommand({ kind: 'get', key: Buffer.from(key) });
    const result = await this.stream.execute({ command, consistency: Consistency.STALE, timeoutMs: READ_TIMEOUT_MS });
    if (result.code !== '') throw errorOfResult(result);
    const answer = decodeAnswer(result.answer);
    if (answer.kind !== 'get') throw new RingraftError('INTERNAL', `asked for get and was answered ${answer.kind}`);
    if (!answer.found) return null;
    const { value, revision } = answer.record;
    return { value: Buffer.from(value).toString('utf8'), revision };
  }

  /** As a learner; to be asked of the leader, as are all changes. They reject with a `RingraftError`. */
  addNode(nodeId: string): Promise<void> {
    const client = this.channel.client(MembershipClient);
    return changed(client.addNode.bind(client), { nodeId, address: '', staysLearner: true });
  }

  promoteNode(nodeId: string): Promise<void> {
    const client = this.channel.client(MembershipClient);
    return changed(client.promoteNode.bind(client), { nodeId });
  }

  removeNode(nodeId: string): Promise<void> {
    const client = this.channel.client(MembershipClient);
    return changed(client.removeNode.bind(client), { nodeId });
  }

  /** To the node, or to whom the leader chooses. */
  transferLeadership(nodeId = ''): Promise<void> {
    const client = this.channel.client(MembershipClient);
    return changed(client.transferLeadership.bind(client), { nodeId });
  }

  close(): void {
    this.isClosed = true;
    this.stream.close();
    this.channel.close();
  }
}

export function isLeader(status: StatusResponse | undefined): boolean {
  return status?.role === Role.LEADER;
}

function changed<Req>(call: AdminCall<Req>, request: Req): Promise<void> {
  return new Promise((resolve, reject) => {
    call(request, new Metadata(), { deadline: Date.now() + CHANGE_TIMEOUT_MS }, (error) =>
      error ? reject(fromServiceError(error)) : resolve(),
    );
  });
}
