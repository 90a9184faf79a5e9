import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster, PortsTakenError, type LocalClusterOptions } from '../../tools/local-cluster/local-cluster.js';
import { freePorts } from '../../tools/local-cluster/ports.js';
import { ServerProcessError } from '../../tools/local-cluster/server-process.js';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const PORT_TRIES_MAX = 3;

/**
 * The environment of gateways that no request may fail at: their usual five seconds may pass without a leader on a machine that is
 * busy with other tests.
 */
export const PATIENT_GATEWAYS = { RINGRAFT_REQUEST_TIMEOUT_MS: '30000' };

export type TestClusterOptions = Partial<
  Pick<LocalClusterOptions, 'clusters' | 'nodes' | 'gateways' | 'env' | 'nodeScript' | 'addressFor'>
>;

/** A local system of the built processes for a test: on free ports, with its data in a directory of its own. */
export class TestCluster extends LocalCluster {
  private constructor(private readonly options: LocalClusterOptions) {
    super(options);
  }

  /** Lays out a system (one cluster of three nodes and a gateway unless told otherwise) and starts nothing. */
  static async layOut(options: TestClusterOptions = {}): Promise<TestCluster> {
    const { clusters = 1, nodes = 3, gateways = 1, env, nodeScript, addressFor } = options;
    const nodeCount = clusters * nodes;
    const ports = await freePorts(gateways + 2 * nodeCount);
    return new TestCluster({
      clusters,
      nodes,
      gateways,
      dataDir: mkdtempSync(join(tmpdir(), 'ringraft-test-')),
      distDir: join(process.cwd(), 'dist'),
      ports: {
        gateway: ports.slice(0, gateways),
        grpc: ports.slice(gateways, gateways + nodeCount),
        ops: ports.slice(gateways + nodeCount),
      },
      ...(env && { env }),
      ...(nodeScript && { nodeScript }),
      ...(addressFor && { addressFor }),
    });
  }

  get dataDir(): string {
    return this.options.dataDir;
  }

  /** Stops everything and removes the data, unless `KEEP_TEST_DATA` is set: then it says where the data and the logs are. */
  async dispose(): Promise<void> {
    await this.stop(STOP_TIMEOUT_MS);
    if (process.env.KEEP_TEST_DATA) console.log(`kept: ${this.dataDir}`);
    else rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** A system that is ready. When somebody took one of its ports meanwhile, it is laid out again on others. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  for (let tries = 1; ; tries++) {
    const cluster = await TestCluster.layOut(options);
    try {
      await cluster.start(START_TIMEOUT_MS);
      return cluster;
    } catch (error) {
      await cluster.dispose();
      const isPortTaken =
        error instanceof PortsTakenError ||
        (error instanceof ServerProcessError && error.message.includes('EADDRINUSE'));
      if (!isPortTaken || tries === PORT_TRIES_MAX) throw error;
    }
  }
}
