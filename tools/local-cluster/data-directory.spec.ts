import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimDataDirectory, DataDirectoryError } from './data-directory.js';

const SHAPE = { clusters: 3, nodes: 3 };

describe('claimDataDirectory', () => {
  const root = mkdtempSync(join(tmpdir(), 'ringraft-data-'));
  let path: string;
  let count = 0;

  beforeEach(() => {
    path = join(root, `${++count}`);
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  function used(shape = SHAPE): void {
    claimDataDirectory(path, shape, false)();
    for (const name of ['c1-n1', 'logs']) mkdirSync(join(path, name), { recursive: true });
    writeFileSync(join(path, 'c1-n1', 'data'), 'x');
  }

  it('makes the directory, and keeps what is there for the same shape', () => {
    used();
    claimDataDirectory(path, SHAPE, false)();
    expect(existsSync(join(path, 'c1-n1', 'data'))).toBe(true);
  });

  it('refuses another shape and names the one that the data was made with', () => {
    used();
    expect(() => claimDataDirectory(path, { clusters: 4, nodes: 3 }, false)).toThrow(
      /was made with --clusters 3 --nodes 3: .* wipe it with --fresh/,
    );
    expect(existsSync(join(path, 'c1-n1', 'data'))).toBe(true);
  });

  it('wipes with isFresh, whatever the shape was', () => {
    used();
    claimDataDirectory(path, { clusters: 1, nodes: 1 }, true)();
    expect(readdirSync(path)).toEqual(['local-cluster.json']);
    expect(() => claimDataDirectory(path, SHAPE, false)).toThrow('--clusters 1 --nodes 1');
  });

  it('refuses a directory with foreign files, and never removes them', () => {
    mkdirSync(path);
    writeFileSync(join(path, 'thesis.tex'), 'x');
    expect(() => claimDataDirectory(path, SHAPE, true)).toThrow(DataDirectoryError);
    expect(readdirSync(path)).toEqual(['thesis.tex']);
  });

  it('refuses a directory that a running system uses, even to wipe it', () => {
    const release = claimDataDirectory(path, SHAPE, false);
    expect(() => claimDataDirectory(path, SHAPE, true)).toThrow(`is used by process ${process.pid}`);
    release();
    expect(() => claimDataDirectory(path, SHAPE, true)).not.toThrow();
  });

  it('takes over from a system that died without a word', () => {
    used();
    writeFileSync(join(path, 'local-cluster.json'), JSON.stringify({ ...SHAPE, pid: 2 ** 22 + 1 }));
    expect(() => claimDataDirectory(path, SHAPE, false)).not.toThrow();
  });

  it('goes on only with isFresh when the description cannot be read', () => {
    used();
    writeFileSync(join(path, 'local-cluster.json'), '{');
    expect(() => claimDataDirectory(path, SHAPE, false)).toThrow('wipe it with --fresh');
    expect(() => claimDataDirectory(path, SHAPE, true)).not.toThrow();
  });
});
