/**
 * The last step of `npm run build`: puts each process and all that it imports into one file. A process that starts looks for some two
 * thousand files otherwise, which costs it several times as long as all the rest of its start.
 */
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** This file runs as `dist/tools/bundle.js`. */
const DIST_DIR = join(import.meta.dirname, '..');

/** A bundle lies as deep as what it is made of: what that finds from where it is, it finds, too. */
const BUNDLES = {
  'apps/gateway/src/main.js': 'apps/gateway/bundle/main.js',
  'apps/raft-node/src/main.js': 'apps/raft-node/bundle/main.js',
  'apps/ringctl/src/main.js': 'apps/ringctl/bundle/main.js',
  'tools/faults/faulty-node.js': 'tools/bundle/faulty-node.js',
};

/** What has a binary or files of its own beside it, and what Nest looks for and does without. */
const LEFT_OUT = [
  '@fastify/multipart',
  '@fastify/view',
  '@grpc/reflection',
  '@nats-io/transport-node',
  '@nestjs/platform-express',
  '@nestjs/websockets',
  'amqp-connection-manager',
  'amqplib',
  'class-transformer/storage',
  'classic-level',
  'ioredis',
  'kafkajs',
  'mqtt',
];

await Promise.all(
  Object.entries(BUNDLES).map(([input, output]) => bundle(join(DIST_DIR, input), join(DIST_DIR, output))),
);

async function bundle(input: string, file: string): Promise<void> {
  const build = await rolldown({
    input,
    platform: 'node',
    external: (id) => LEFT_OUT.some((name) => id === name || id.startsWith(`${name}/`)),
    onLog: (level, { message }) => {
      if (level === 'warn') throw new Error(message);
    },
  });
  // Nest shows the names of classes to people, and so do errors.
  await build.write({ file, format: 'esm', codeSplitting: false, keepNames: true });
  await build.close();
}
