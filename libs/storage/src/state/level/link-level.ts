import { copyFile, link, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { logNameOf, logNumbersIn, manifestNameOf, readVersion, tableNamesIn } from './verify-level.js';

/**
 * Makes a second LevelDB of one that is open and takes no batches any more, but may still write tables. They share the bytes of tables and
 * logs, which neither of them changes again; `to` must be an empty directory. Nothing is durable until the second one was opened.
 *
 * Only what the manifest names is shared. Any other table is one that the first LevelDB is still writing, and the second one, which knows
 * nothing of it, would give its number to a table of its own and empty the file under the hands of the first.
 *
 * The manifest comes first and is copied, because the first LevelDB goes on adding to it: tables and logs go only after a record there said
 * so. What is gone by the time it is linked makes this reject, and another attempt finds a newer manifest.
 */
export async function linkLevel(from: string, to: string): Promise<void> {
  const manifest = await manifestNameOf(from);
  await copyFile(join(from, manifest), join(to, manifest));
  await copyFile(join(from, 'CURRENT'), join(to, 'CURRENT'));
  const version = await readVersion(to);
  const names = await readdir(from);
  const shared = [...logNumbersIn(names, version).map(logNameOf), ...tableNamesIn(from, names, version)];
  for (const name of shared) await link(join(from, name), join(to, name));
}
