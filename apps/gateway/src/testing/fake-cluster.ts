import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import {
  decodeAnswer,
  decodeCommand,
  encodeAnswer,
  encodeBatch,
  MemoryKeySpace,
  StateMachine,
  type Request,
} from '@app/kv';
import {
  assertCluster,
  Consistency,
  failedResult,
  KeyValueService,
  MembershipService,
  Role,
  SERVER_OPTIONS,
  serveExecute,
  StatusResponse,
  successResult,
  toServiceError,
  type Respond,
  type Result,
} from '@app/rpc';

/** Handles one operation of one node; `proceed` does what a healthy node of this cluster would do, and tells the result. */
export type Behaviour = (request: Request, proceed: () => Result, respond: Respond) => void;

const HEALTHY: Behaviour = (_request, proceed, respond) => respond(proceed());

/** A node's gRPC server in this process, without a log behind it. */
export class FakeNode {
  behaviour: Behaviour = HEALTHY;
  /** Everything that was asked of it, in order. */
  readonly requests: Request[] = [];
  statusCalls = 0;
  private server: Server | undefined;

  constructor(
    readonly id: string,
    private readonly cluster: FakeCluster,
    public port: number,
  ) {}

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get isLeader(): boolean {
    return this.cluster.leader === this;
  }

  async start(): Promise<void> {
    const server = new Server(SERVER_OPTIONS);
    const notServed = (_call: unknown, callback: (error: object) => void) =>
      callback({ code: status.UNIMPLEMENTED, details: 'a fake' });
    server.addService(KeyValueService, {
      get: notServed,
      set: notServed,
      delete: notServed,
      execute: (call: Parameters<typeof serveExecute>[0]) => {
        try {
          assertCluster(call.metadata, this.cluster.id);
        } catch (error) {
          return call.emit('error', toServiceError(error));
        }
        return serveExecute(call, {
          handle: ({ command, consistency }, respond) => {
            const request = decodeCommand(command);
            this.requests.push(request);
            this.behaviour(
              request,
              () => this.cluster.perform(this, command, request, consistency === Consistency.STALE),
              respond,
            );
          },
          failed: (error) => {
            throw error;
          },
        });
      },
    });
    server.addService(MembershipService, {
      status: (_call: unknown, callback: (error: null, response: StatusResponse) => void) => {
        this.statusCalls += 1;
        callback(null, this.cluster.statusOf(this));
      },
    });
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(this.address, ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    this.server = server;
  }

  /** As the death of the process would: connections break, nothing listens. */
  kill(): void {
    this.server?.forceShutdown();
    this.server = undefined;
  }
}

/** A cluster whose nodes share one state machine: what one has applied, all have. */
export class FakeCluster {
  readonly nodes: readonly FakeNode[];
  /** Of the configuration in force, and what set it. */
  members: readonly FakeNode[];
  configurationIndex = 0;
  term = 3;
  leader: FakeNode | undefined;
  private readonly machine = new StateMachine(new MemoryKeySpace());
  private index = 0;

  private constructor(
    readonly id: string,
    nodes: number,
  ) {
    this.nodes = Array.from({ length: nodes }, (_, i) => new FakeNode(`${id}-n${i + 1}`, this, 0));
    this.members = this.nodes;
    this.leader = this.nodes[0];
  }

  static async start(id: string, nodes = 3): Promise<FakeCluster> {
    const cluster = new FakeCluster(id, nodes);
    for (const node of cluster.nodes) await node.start();
    return cluster;
  }

  /** `c1=c1-n1@127.0.0.1:4711|...` */
  get listing(): string {
    return `${this.id}=${this.nodes.map(({ id, address }) => `${id}@${address}`).join('|')}`;
  }

  /** Another configuration is in force on all nodes. */
  change(...members: readonly FakeNode[]): void {
    this.members = members;
    this.configurationIndex += 1;
  }

  /** Writes that were applied, sessions and refusals not counted. */
  get revision(): number {
    return this.machine.revision;
  }

  perform(node: FakeNode, command: Uint8Array, request: Request, isStale: boolean): Result {
    if (request.kind === 'get' && (isStale || node.isLeader)) {
      return successResult(encodeAnswer(this.machine.read(request)));
    }
    if (!node.isLeader) {
      const { leader } = this;
      return failedResult('NOT_LEADER', `${node.id} follows`, {
        ...(leader && { leader: { nodeId: leader.id, address: leader.address } }),
      });
    }
    return successResult(this.apply(command));
  }

  /** Applies a command as if it had come through the log, and gives its answer. */
  apply(command: Uint8Array): Uint8Array {
    this.index += 1;
    const answers = this.machine.apply([{ index: this.index, data: encodeBatch(Date.now(), [command]) }]);
    return answers[0]![0]!;
  }

  answer(command: Uint8Array) {
    return decodeAnswer(this.apply(command));
  }

  statusOf(node: FakeNode): StatusResponse {
    return StatusResponse.create({
      clusterId: this.id,
      nodeId: node.id,
      role: node.isLeader ? Role.LEADER : Role.FOLLOWER,
      term: this.term,
      configurationIndex: this.configurationIndex,
      leaderId: this.leader?.id ?? '',
      firstIndex: 1,
      lastIndex: this.index,
      commitIndex: this.index,
      appliedIndex: this.index,
      revision: this.machine.revision,
      members: this.members.map((member) => ({
        nodeId: member.id,
        address: member.address,
        isActive: node.isLeader,
        matchIndex: this.index,
      })),
      version: '0.1.0',
    });
  }

  stop(): void {
    for (const node of this.nodes) node.kill();
  }
}
