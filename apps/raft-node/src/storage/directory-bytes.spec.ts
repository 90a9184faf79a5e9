import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directoryBytes } from './directory-bytes.js';

describe('directoryBytes', () => {
  it('adds up all files below, and nothing where nothing is', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringraft-size-'));
    try {
      mkdirSync(join(directory, 'a/b'), { recursive: true });
      writeFileSync(join(directory, 'one'), Buffer.alloc(10));
      writeFileSync(join(directory, 'a/b/two'), Buffer.alloc(32));
      await expect(directoryBytes(directory)).resolves.toBe(42);
      await expect(directoryBytes(join(directory, 'none'))).resolves.toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
