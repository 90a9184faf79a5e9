/**
 * The last step of `npm run build`: puts each process and all that it imports into one file, beside which lies what V8 makes of it. A
 * process that starts looks for some two thousand files otherwise and compiles them, which costs it several times as long as all the rest
 * of its start.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { writeCodeCaches } from './code-cache/write-code-caches.js';

/** This file runs as `dist/tools/bundle.js`. */
const DIST_DIR = join(import.meta.dirname, '..');

/** A bundle lies as deep as what it is made of: what that finds from where it is, it finds, too. */
const BUNDLES = {
  'apps/gateway/src/main.js': 'apps/gateway/bundle/main.cjs',
  'apps/raft-node/src/main.js': 'apps/raft-node/bundle/main.cjs',
  'apps/ringctl/src/main.js': 'apps/ringctl/bundle/main.cjs',
  'tools/faults/faulty-node.js': 'tools/faulty-node/main.cjs',
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

const START_BUNDLE = join(import.meta.dirname, 'code-cache/start-bundle.js');

await Promise.all(
  Object.entries(BUNDLES).map(async ([input, output]) => {
    const file = join(DIST_DIR, output);
    rmSync(dirname(file), { recursive: true, force: true });
    await bundle(join(DIST_DIR, input), file, 'cjs');
    await bundle(START_BUNDLE, join(dirname(file), 'main.js'), 'esm');
  }),
);
await writeCodeCaches(DIST_DIR);

async function bundle(input: string, file: string, format: 'cjs' | 'esm'): Promise<void> {
  const build = await rolldown({
    input,
    platform: 'node',
    external: (id) => LEFT_OUT.some((name) => id === name || id.startsWith(`${name}/`)),
    onLog: (level, { message }) => {
      if (level === 'warn') throw new Error(message);
    },
  });
  await build.write({
    file,
    format,
    codeSplitting: false,
    // Nest shows the names of classes to people, and so do errors.
    keepNames: true,
    // Node.js 20 knows no way for an `import()` of code from a code cache.
    dynamicImportInCjs: false,
  });
  await build.close();
}
