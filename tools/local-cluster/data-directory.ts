import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DESCRIPTION = 'local-cluster.json';

export interface ClusterShape {
  readonly clusters: number;
  /** Per cluster. */
  readonly nodes: number;
}

/** A data directory that may not be used as asked; the message says what to do. */
export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError';
}

interface Description extends ClusterShape {
  /** Of the process that uses the directory now. */
  readonly pid?: number;
}

/**
 * Makes the directory ready for a system of this shape and marks it as used by us until the returned function is
 * called. A directory remembers the shape that it was made with: with another number of clusters the same key would
 * be looked for in another cluster. `isFresh` removes what an earlier system left there, and nothing else.
 *
 * Throws `DataDirectoryError` and changes nothing when another shape, a running system or foreign files are there.
 */
export function claimDataDirectory(path: string, shape: ClusterShape, isFresh: boolean): () => void {
  mkdirSync(path, { recursive: true });
  const file = join(path, DESCRIPTION);
  const strangers = readdirSync(path).filter((name) => !isOurs(name));
  if (strangers.length > 0) {
    throw new DataDirectoryError(
      `${path} holds what no local cluster has put there (${strangers.slice(0, 3).join(', ')}): choose another --data-dir`,
    );
  }
  const found = existsSync(file) ? readDescription(file) : undefined;
  if (found?.pid !== undefined && isAlive(found.pid)) {
    throw new DataDirectoryError(
      `${path} is used by process ${found.pid}: stop that first, or choose another --data-dir ` +
        `(if process ${found.pid} is no local cluster, delete ${file})`,
    );
  }
  if (isFresh) {
    for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true, force: true });
  } else if (found && (found.clusters !== shape.clusters || found.nodes !== shape.nodes)) {
    throw new DataDirectoryError(
      `${path} was made with --clusters ${found.clusters ?? '?'} --nodes ${found.nodes ?? '?'}: start it so, choose ` +
        'another --data-dir, or wipe it with --fresh',
    );
  }
  const describe = (description: Description): void => writeFileSync(file, `${JSON.stringify(description)}\n`);
  describe({ ...shape, pid: process.pid });
  return () => describe(shape);
}

function isOurs(name: string): boolean {
  return name === DESCRIPTION || name === 'logs' || /^c\d+-n\d+$/.test(name);
}

/** What the file says; nothing when it cannot be understood: then only `--fresh` goes on. */
function readDescription(file: string): Partial<Description> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Description>;
  } catch {
    return {};
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
