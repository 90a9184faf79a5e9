import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testIo } from '../testing/test-io.js';
import { readValue } from './value-source.js';

describe('the value to be written', () => {
  it('is the argument', async () => {
    expect((await readValue('ä', undefined, testIo())).toString()).toBe('ä');
    expect(await readValue('', undefined, testIo())).toHaveLength(0);
  });

  it('is what stdin gives for -', async () => {
    const bytes = Buffer.from([0, 255, 10]);
    expect(await readValue('-', undefined, testIo(bytes))).toEqual(bytes);
  });

  it('is what a file holds', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringctl-'));
    try {
      writeFileSync(join(directory, 'value'), Buffer.from([1, 0, 2]));
      expect(await readValue(undefined, join(directory, 'value'), testIo())).toEqual(Buffer.from([1, 0, 2]));
      await expect(readValue(undefined, join(directory, 'none'), testIo())).rejects.toThrow('ENOENT');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('is one of them', async () => {
    await expect(readValue(undefined, undefined, testIo())).rejects.toThrow('there is no value');
    await expect(readValue('a', 'b', testIo())).rejects.toThrow('cannot both');
  });

  it('is no more than any gateway takes', async () => {
    await expect(readValue('-', undefined, testIo(Buffer.alloc(8 * 1024 * 1024 + 1)))).rejects.toThrow('8388608 bytes');
  });
});
