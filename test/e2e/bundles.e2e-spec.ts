import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { Module } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { seal, unseal } from '../../tools/code-cache/sealed-cache.js';

const APPS = ['gateway', 'raft-node', 'ringctl'];
const bundleOf = (app: string): string => join(process.cwd(), 'dist/apps', app, 'bundle');

describe.each(APPS)('the bundle of %s', (app) => {
  it('has a code cache that V8 takes', () => {
    const source = readFileSync(join(bundleOf(app), 'main.cjs'));
    const cachedData = unseal(source, readFileSync(join(bundleOf(app), 'main.cache')));
    expect(cachedData).toBeDefined();
    const script = new Script(Module.wrap(source.toString()), { filename: 'main.cjs', cachedData: cachedData! });
    expect(script.cachedDataRejected).toBe(false);
  });
});

describe('a code cache that is of no use', () => {
  let copy: string;
  // Beside the original, so that it finds the same node_modules.
  beforeEach(() => {
    copy = mkdtempSync(join(bundleOf('raft-node'), '../bundle-'));
    cpSync(bundleOf('raft-node'), copy, { recursive: true });
  });
  afterEach(() => rmSync(copy, { recursive: true }));

  it.each<[string, (cache: string, source: Buffer) => void]>([
    ['missing', (cache) => rmSync(cache)],
    ['empty', (cache) => truncateSync(cache, 0)],
    ['cut', (cache) => truncateSync(cache, 100_000)],
    [
      'damaged in a thousand places',
      (cache) => {
        const bytes = readFileSync(cache);
        for (let i = 1; i <= 1_000; i++) bytes[Math.floor((i * bytes.length) / 1_001)]! ^= 0xff;
        writeFileSync(cache, bytes);
      },
    ],
    ['of another version of V8', (cache, source) => writeFileSync(cache, seal(source, Buffer.alloc(1_000, 7)))],
  ])('is not used: %s', (_what, spoil) => {
    spoil(join(copy, 'main.cache'), readFileSync(join(copy, 'main.cjs')));
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(copy, 'main.js'), '--help'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Usage: raft-node [options]');
  });
});
