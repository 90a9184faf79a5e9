import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ClassicLevel } from 'classic-level';

const ROW_PREFIX = 0x01;
const USER_PREFIX = 0x10;
const CHECKSUM_BYTES = 4;

/**
 * Changes the last byte of what a key holds in the state database of a node that does not run, and makes every checksum right again: a
 * damage that only the hashes of the state can tell.
 */
export async function changeRecordAtRest(dataDir: string, key: string): Promise<void> {
  const stateDir = join(dataDir, 'state');
  const current = /^current (\S+)$/m.exec(readFileSync(join(stateDir, 'pointer'), 'utf8'))?.[1];
  if (current === undefined) throw new Error(`${stateDir} has no state`);
  const level = new ClassicLevel<Uint8Array, Uint8Array>(join(stateDir, current), {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: false,
  });
  await level.open();
  try {
    const storedKey = Uint8Array.of(ROW_PREFIX, USER_PREFIX, ...Buffer.from(key));
    const stored = await level.get(storedKey);
    if (stored === undefined) throw new Error(`${stateDir} has no key ${key}`);
    const changed = Uint8Array.from(stored);
    const value = changed.subarray(0, -CHECKSUM_BYTES);
    value[value.length - 1]! ^= 1;
    const checksum = crc32(value, crc32(storedKey, storedKey.length));
    new DataView(changed.buffer).setUint32(value.length, checksum, true);
    await level.put(storedKey, changed, { sync: true });
  } finally {
    await level.close();
  }
}
