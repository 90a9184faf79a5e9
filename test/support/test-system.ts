import { firstPlacement } from '@app/placement';
import { RingraftError } from '@app/rpc';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from './eventually.js';
import { HttpClient } from './http-client.js';
import { NodeClient } from './node-client.js';
import { startTestCluster, TestCluster, type TestClusterOptions } from './test-cluster.js';

const READY_TIMEOUT_MS = 60_000;
/** Far more than an election takes on a machine that is busy with other tests. */
const ELECTION_DEADLINE_MS = 60_000;
const TAGS_MAX = 10_000;
const LEADER_TRIES_MAX = 10;
const LEADERLESS: ReadonlySet<string> = new Set(['NOT_LEADER', 'NO_LEADER']);

/** A local system of the built processes, with a client for each of them and what tests ask of a cluster as a whole. */
export class TestSystem {
  private readonly httpClients: readonly HttpClient[];
  private readonly nodeClients = new Map<string, NodeClient>();

  private constructor(readonly cluster: TestCluster) {
    this.httpClients = cluster.gateways.map(({ url }) => new HttpClient(url));
  }

  /** Everything runs, and every cluster has a leader. */
  static async start(options: TestClusterOptions): Promise<TestSystem> {
    return new TestSystem(await startTestCluster(options));
  }

  /** Nothing runs yet. */
  static async layOut(options: TestClusterOptions): Promise<TestSystem> {
    return new TestSystem(await TestCluster.layOut(options));
  }

  /** Starts what does not run, and waits until every process is ready. */
  async startAll(): Promise<void> {
    for (const server of [...this.cluster.nodes, ...this.cluster.gateways]) if (!server.isRunning) server.start();
    await this.cluster.ready(READY_TIMEOUT_MS);
  }

  /** Names of processes that have ended. */
  get ended(): string[] {
    const { nodes, gateways } = this.cluster;
    return [...nodes, ...gateways].filter(({ isRunning }) => !isRunning).map(({ name }) => name);
  }

  async dispose(): Promise<void> {
    for (const client of this.httpClients) client.close();
    for (const client of this.nodeClients.values()) client.close();
    await this.cluster.dispose();
  }

  /** To the gateway of this number, counted from 0. */
  http(gateway = 0): HttpClient {
    const client = this.httpClients[gateway];
    if (!client) throw new Error(`there is no gateway ${gateway}`);
    return client;
  }

  /** To the gRPC server of this node. */
  grpc(node: LocalNode): NodeClient {
    let client = this.nodeClients.get(node.name);
    if (client === undefined) {
      client = new NodeClient(node.address);
      this.nodeClients.set(node.name, client);
    }
    return client;
  }

  /** Waits for the cluster to have a leader among its running nodes, another one than `not` if that is given. */
  leaderOf(clusterId: string, not?: LocalNode): Promise<LocalNode> {
    return eventually(
      `cluster ${clusterId} has ${not ? 'another' : 'a'} leader`,
      async () => {
        const candidates = this.cluster.nodesOf(clusterId).filter((node) => node.isRunning && node !== not);
        const statuses = await Promise.all(candidates.map(async (node) => ({ node, ...(await node.status()) })));
        return statuses.filter(({ role }) => role === 'leader').sort((a, b) => b.term - a.term)[0]?.node;
      },
      ELECTION_DEADLINE_MS,
    );
  }

  /** Asks the leader for something, and its successor if it has ceased to lead. */
  async askLeader<Answer>(clusterId: string, ask: (leader: NodeClient) => Promise<Answer>): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask(this.grpc(await this.leaderOf(clusterId)));
      } catch (error) {
        const isElsewhere = error instanceof RingraftError && LEADERLESS.has(error.code);
        if (!isElsewhere || tries === LEADER_TRIES_MAX) throw error;
      }
    }
  }

  /** The nodes of the cluster that run and do not lead. */
  async followersOf(clusterId: string): Promise<LocalNode[]> {
    const leader = await this.leaderOf(clusterId);
    return this.cluster.nodesOf(clusterId).filter((node) => node.isRunning && node !== leader);
  }

  /** A prefix `{...}` for keys: all that begin with it are in this cluster. */
  keyTagOf(clusterId: string): string {
    const clusters = this.cluster.clusterIds.map((id) => ({
      id,
      weight: 1,
      nodes: this.cluster.nodesOf(id).map(({ name, address }) => ({ id: name, address })),
    }));
    const placement = firstPlacement(clusters);
    for (let n = 0; n < TAGS_MAX; n++) {
      const tag = `{tag-${n}}`;
      if (placement.locate(Buffer.from(tag)).cluster.id === clusterId) return tag;
    }
    throw new Error(`none of ${TAGS_MAX} keys is in cluster ${clusterId}`);
  }

  /** Waits until these nodes (all of the cluster) run and have applied the same log to its end; gives the revision that they share. */
  async convergedRevisionOf(clusterId: string, nodes = this.cluster.nodesOf(clusterId)): Promise<number> {
    const status = await eventually(
      `all nodes of cluster ${clusterId} have applied the same log`,
      async () => {
        const statuses = await Promise.all(nodes.map((node) => this.grpc(node).status()));
        const [first] = statuses;
        const areEqual = statuses.every(
          ({ leaderId, commitIndex, appliedIndex, lastIndex, revision }) =>
            leaderId !== '' &&
            leaderId === first?.leaderId &&
            lastIndex === first.lastIndex &&
            commitIndex === lastIndex &&
            appliedIndex === lastIndex &&
            revision === first.revision,
        );
        return areEqual ? first : undefined;
      },
      ELECTION_DEADLINE_MS,
    );
    return status.revision;
  }
}
