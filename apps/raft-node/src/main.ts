import 'reflect-metadata';
import { VERSION, configOrExit } from '@app/platform';
import { handOver } from './hand-over.js';
import { RaftNodeConfig } from './raft-node.config.js';
import { startNode } from './start-node.js';
import { wipeNode } from './wipe-node.js';

const config = configOrExit(RaftNodeConfig, {
  name: 'raft-node',
  describe: 'One node of a Ringraft cluster: a Raft member with its log and its state machine.',
  version: VERSION,
});

// Not awaited at the top level, which a bundle in CommonJS cannot do.
void run();

async function run(): Promise<void> {
  if (config.handOver) process.exit(await handOver(config));
  if (config.wipe) process.exit(await wipeNode(config));
  await startNode(config);
}
