import { Metadata, type CallOptions, type ClientUnaryCall, type ServiceError } from '@grpc/grpc-js';
import { encodeCommand, type Request } from '@app/kv';
import {
  Channel,
  Consistency,
  DeleteRequest,
  ElectionClient,
  ExecuteStream,
  GetRequest,
  HealthClient,
  KeyValueClient,
  MembershipClient,
  OpenSessionRequest,
  SetRequest,
  fromServiceError,
  type ChangeResponse,
  type DeleteResponse,
  type GetResponse,
  type RequestVoteRequest,
  type RequestVoteResponse,
  type Result,
  type ServingStatus,
  type SetResponse,
  type StatusResponse,
  type TransferLeadershipResponse,
} from '@app/rpc';

const CALL_TIMEOUT_MS = 10_000;

type UnaryCall<Req, Res> = (
  request: Req,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Res) => void,
) => ClientUnaryCall;

/** Speaks gRPC with one node, as any client might. What is rejected is rejected with a `RingraftError`. */
export class NodeClient {
  readonly channel: Channel;
  private readonly stream: ExecuteStream;

  constructor(address: string) {
    this.channel = new Channel(address);
    this.stream = new ExecuteStream(this.channel);
  }

  status(): Promise<StatusResponse> {
    const client = this.channel.client(MembershipClient);
    return unary(client.status.bind(client), {});
  }

  /** As a learner. */
  addNode(nodeId: string): Promise<ChangeResponse> {
    const client = this.channel.client(MembershipClient);
    return unary(client.addNode.bind(client), { nodeId, address: '', staysLearner: true });
  }

  /** As a learner that becomes a voter by itself. */
  joinNode(nodeId: string, address: string): Promise<ChangeResponse> {
    const client = this.channel.client(MembershipClient);
    return unary(client.addNode.bind(client), { nodeId, address, staysLearner: false });
  }

  updateNode(nodeId: string, address: string): Promise<ChangeResponse> {
    const client = this.channel.client(MembershipClient);
    return unary(client.updateNode.bind(client), { nodeId, address });
  }

  promoteNode(nodeId: string): Promise<ChangeResponse> {
    const client = this.channel.client(MembershipClient);
    return unary(client.promoteNode.bind(client), { nodeId });
  }

  removeNode(nodeId: string): Promise<ChangeResponse> {
    const client = this.channel.client(MembershipClient);
    return unary(client.removeNode.bind(client), { nodeId });
  }

  /** To the most up-to-date voter within reach unless one is named. */
  transferLeadership(nodeId = ''): Promise<TransferLeadershipResponse> {
    const client = this.channel.client(MembershipClient);
    return unary(client.transferLeadership.bind(client), { nodeId });
  }

  get(key: string, request: Partial<GetRequest> = {}): Promise<GetResponse> {
    const client = this.channel.client(KeyValueClient);
    return unary(client.get.bind(client), GetRequest.create({ ...request, key: Buffer.from(key) }));
  }

  set(key: string, value: string, request: Partial<SetRequest> = {}): Promise<SetResponse> {
    const client = this.channel.client(KeyValueClient);
    const message = SetRequest.create({ ...request, key: Buffer.from(key), value: Buffer.from(value) });
    return unary(client.set.bind(client), message);
  }

  delete(key: string, request: Partial<DeleteRequest> = {}): Promise<DeleteResponse> {
    const client = this.channel.client(KeyValueClient);
    return unary(client.delete.bind(client), DeleteRequest.create({ ...request, key: Buffer.from(key) }));
  }

  /** The client id for the `session` of writes that may be repeated. */
  async openSession(): Promise<number> {
    const client = this.channel.client(KeyValueClient);
    return (await unary(client.openSession.bind(client), OpenSessionRequest.create({ forward: true }))).clientId;
  }

  requestVote(request: RequestVoteRequest): Promise<RequestVoteResponse> {
    const client = this.channel.client(ElectionClient);
    return unary(client.requestVote.bind(client), request);
  }

  async health(service: string): Promise<ServingStatus> {
    const client = this.channel.client(HealthClient);
    return (await unary(client.check.bind(client), { service })).status;
  }

  /** Over the Execute stream, as gateways do. Never rejects. */
  execute(request: Request, more: { consistency?: Consistency; forward?: boolean } = {}): Promise<Result> {
    return this.stream.execute({ ...more, command: encodeCommand(request), timeoutMs: CALL_TIMEOUT_MS });
  }

  close(): void {
    this.stream.close();
    this.channel.close();
  }
}

function unary<Req, Res>(call: UnaryCall<Req, Res>, request: Req): Promise<Res> {
  return new Promise((resolve, reject) => {
    call(request, new Metadata(), { deadline: Date.now() + CALL_TIMEOUT_MS }, (error, response) =>
      error ? reject(fromServiceError(error)) : resolve(response),
    );
  });
}
