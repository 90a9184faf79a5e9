/**
 * The last step of `npm run build`: puts each app and all that it imports into one file, `dist/apps/<app>/bundle/main.js`. A process that
 * starts looks for some two thousand files otherwise, which costs it several times as long as all the rest of its start.
 */
import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** This file runs as `dist/tools/bundle.js`. */
const APPS_DIR = join(import.meta.dirname, '../apps');

const APPS = ['gateway', 'raft-node', 'ringctl'];

/** What has a binary or files of its own beside it, and what Nest looks for and does without. */
const LEFT_OUT = [
  '@grpc/reflection',
  'classic-level',
  '@fastify/multipart',
  '@fastify/view',
  '@nats-io/transport-node',
  '@nestjs/platform-express',
  '@nestjs/websockets',
  'amqp-connection-manager',
  'amqplib',
  'class-transformer/storage',
  'ioredis',
  'kafkajs',
  'mqtt',
];

await Promise.all(APPS.map(bundle));

/** `main.js` lies as deep as the one that it is made of: what that finds from where it is, it finds, too. */
async function bundle(app: string): Promise<void> {
  const build = await rolldown({
    input: join(APPS_DIR, app, 'src/main.js'),
    platform: 'node',
    external: (id) => LEFT_OUT.some((name) => id === name || id.startsWith(`${name}/`)),
    onLog: (level, { message }) => {
      if (level === 'warn') throw new Error(message);
    },
  });
  // Nest shows the names of classes to people, and so do errors.
  await build.write({
    file: join(APPS_DIR, app, 'bundle/main.js'),
    format: 'esm',
    codeSplitting: false,
    keepNames: true,
  });
  await build.close();
}
