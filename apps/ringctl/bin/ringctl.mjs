#!/usr/bin/env node
// What `npx ringctl` runs. It is no build product, so that it is there, and can say what is missing, before anything was built.
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const main = fileURLToPath(new URL('../../../dist/apps/ringctl/bundle/main.js', import.meta.url));
if (existsSync(main)) {
  await import(pathToFileURL(main).href);
} else {
  process.stderr.write(`error: ringctl is not built yet\nhint:  run \`npm ci && npm run build\` in ${root}\n`);
  process.exitCode = 1;
}
