import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** In the data directory, so that it goes when that is wiped. */
const MARKER = 'quarantine.json';

interface Marker {
  /** For people. */
  readonly detail: string;
  /** ISO 8601, by the wall clock. */
  readonly since: string;
}

/** Why the data directory is in quarantine; undefined if it is not. A marker that cannot be understood counts. */
export async function readMarker(dataDir: string): Promise<string | undefined> {
  const path = join(dataDir, MARKER);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { detail } = JSON.parse(text) as Partial<Marker>;
    if (typeof detail === 'string') return detail;
  } catch {
    // Below.
  }
  return `${path} says that the data directory is in quarantine; why, it does not tell any more`;
}

/** When it resolves, neither a crash nor a power loss takes the marker away. An earlier one is replaced as a whole. */
export async function writeMarker(dataDir: string, marker: Marker): Promise<void> {
  const path = join(dataDir, MARKER);
  const aside = `${path}.new`;
  const file = await open(aside, 'w');
  try {
    await file.writeFile(`${JSON.stringify(marker, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  const directory = await open(dataDir, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
