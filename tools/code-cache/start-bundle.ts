/**
 * `main.js` of every bundle: runs `main.cjs` beside it, which is the app, without compiling it where `main.cache` has what V8 made of it
 * before. Node.js 20 has nothing for this yet (`module.enableCompileCache` came with 22).
 *
 * The cache is no more than a cache: one that is missing, damaged, of another `main.cjs` or of another version of Node.js is not used.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { seal, unseal } from './sealed-cache.js';

/** Set by the build: at its end the process writes the cache, with all functions that were called until then. */
const WRITE_VARIABLE = 'RINGRAFT_WRITE_CODE_CACHE';

const directory = import.meta.dirname;
const filename = join(directory, 'main.cjs');
const cacheFile = join(directory, 'main.cache');
const source = readFileSync(filename);
const cachedData = existsSync(cacheFile) ? unseal(source, readFileSync(cacheFile)) : undefined;

const script = new Script(Module.wrap(source.toString()), { filename, ...(cachedData && { cachedData }) });
if (process.env[WRITE_VARIABLE] !== undefined) {
  process.on('exit', () => writeFileSync(cacheFile, seal(source, script.createCachedData())));
}

const module = { exports: {} };
const run = script.runInThisContext() as (...scope: readonly unknown[]) => void;
run.call(module.exports, module.exports, createRequire(filename), module, filename, directory);
