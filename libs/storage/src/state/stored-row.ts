import type { Row } from '@app/kv';
import { crc32 } from 'node:zlib';

/**
 * How a row lies in the database: its key behind the byte 01, its value followed by a CRC-32 of key and value, seeded with the length of
 * the key. LevelDB checks none of its tables when it reads them (the binding has no `verify_checksums`).
 */
const ROW_PREFIX = 1;
const CHECKSUM_BYTES = 4;

export const DESCRIPTION_KEY = Uint8Array.of(0);
/** Behind all rows. */
export const END_OF_ROWS = Uint8Array.of(ROW_PREFIX + 1);

export function storedKeyOf(key: Uint8Array): Uint8Array {
  // From Node's pool, as below: memory of its own would cost more than all that is done with it. The database copies it.
  const stored = Buffer.allocUnsafe(key.length + 1);
  stored[0] = ROW_PREFIX;
  stored.set(key, 1);
  return stored;
}

/** `storedKey` is the key as it lies in the database. */
export function sealed(storedKey: Uint8Array, value: Uint8Array): Uint8Array {
  const stored = Buffer.allocUnsafe(value.length + CHECKSUM_BYTES);
  stored.set(value);
  stored.writeUInt32LE(checksumOf(storedKey, value), value.length);
  return stored;
}

/** The value without its checksum, a view into what was read; `undefined` if key and value are not those that were sealed. */
export function unsealed(storedKey: Uint8Array, stored: Uint8Array): Uint8Array | undefined {
  const length = stored.length - CHECKSUM_BYTES;
  if (length < 0) return undefined;
  // A Buffer's `slice` shares its bytes, that of a Uint8Array copies: callers were promised the latter.
  const value = new Uint8Array(stored.buffer, stored.byteOffset, length);
  const checksum = new DataView(stored.buffer, stored.byteOffset + length, CHECKSUM_BYTES).getUint32(0, true);
  return checksum === checksumOf(storedKey, value) ? value : undefined;
}

/** `undefined` if it is damaged. */
export function rowOf(storedKey: Uint8Array, stored: Uint8Array): Row | undefined {
  const value = unsealed(storedKey, stored);
  if (value === undefined) return undefined;
  return { key: new Uint8Array(storedKey.buffer, storedKey.byteOffset + 1, storedKey.length - 1), value };
}

function checksumOf(storedKey: Uint8Array, value: Uint8Array): number {
  return crc32(value, crc32(storedKey, storedKey.length));
}
