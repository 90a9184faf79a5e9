import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LocalCluster } from '../local-cluster/local-cluster.js';
import { freePorts } from '../local-cluster/ports.js';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
/** For `start-bundle.ts`. */
const WRITE = { RINGRAFT_WRITE_CODE_CACHE: 'true' };

/**
 * Starts and stops a node, a gateway and ringctl of the build in `distDir`, each of which then writes its code cache: what is called until a
 * process is ready need not be compiled by those that start later.
 */
export async function writeCodeCaches(distDir: string): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ringraft-build-'));
  try {
    const [gateway, grpc, ops] = (await freePorts(3)) as [number, number, number];
    const system = new LocalCluster({
      clusters: 1,
      nodes: 1,
      gateways: 1,
      dataDir,
      distDir,
      ports: { gateway: [gateway], grpc: [grpc], ops: [ops] },
      env: WRITE,
    });
    await system.start(START_TIMEOUT_MS);
    for (const { server } of await system.stop(STOP_TIMEOUT_MS)) throw new Error(`${server.name} did not stop`);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
  await promisify(execFile)(process.execPath, [join(distDir, 'apps/ringctl/bundle/main.js'), '--help'], {
    env: { ...process.env, ...WRITE },
  });
}
