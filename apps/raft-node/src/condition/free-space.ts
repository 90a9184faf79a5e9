import { statfs } from 'node:fs/promises';

export const FREE_SPACE = Symbol('FreeSpace');

/** Bytes that this process may still write to the file system of a directory. */
export type FreeSpace = (directory: string) => Promise<number>;

/** What is kept back for the superuser does not count. */
export async function freeSpaceOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
