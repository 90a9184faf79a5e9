import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real file system of a few mebibytes. */
export interface SmallFileSystem {
  readonly directory: string;
  unmount(): void;
}

/** Undefined, with a message for whoever reads the output, where none can be mounted. */
export function mountSmallFileSystem(sizeMebibytes: number): SmallFileSystem | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'ringraft-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMebibytes}m`, 'tmpfs', directory], { stdio: 'pipe' });
  } catch (error) {
    rmSync(directory, { recursive: true });
    console.warn(`no small file system can be mounted here, so full ones are not tested: ${(error as Error).message}`);
    return undefined;
  }
  return {
    directory,
    unmount: () => {
      execFileSync('umount', [directory]);
      rmSync(directory, { recursive: true });
    },
  };
}
