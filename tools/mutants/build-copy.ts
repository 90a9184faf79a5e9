import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A copy of the compiled program, in a directory of its own, that can have bugs put in and taken out again. */
export class BuildCopy {
  readonly workerPath: string;
  private readonly originals = new Map<string, string>();

  constructor(
    root: string,
    private readonly dir: string,
  ) {
    mkdirSync(dir, { recursive: true });
    for (const part of ['libs', 'tools'])
      cpSync(join(root, 'dist', part), join(dir, 'dist', part), { recursive: true });
    cpSync(join(root, 'package.json'), join(dir, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'), 'dir');
    this.workerPath = join(dir, 'dist/tools/sim/seed-worker.js');
  }

  /** Puts in compiled files in place of others, by the names of their sources. */
  replace(compiled: ReadonlyMap<string, string>): void {
    for (const [file, code] of compiled) {
      const path = this.compiledPath(file);
      if (!this.originals.has(path)) this.originals.set(path, readFileSync(path, 'utf8'));
      writeFileSync(path, code);
    }
  }

  restore(): void {
    for (const [path, code] of this.originals) writeFileSync(path, code);
    this.originals.clear();
  }

  private compiledPath(file: string): string {
    return join(this.dir, 'dist', file.replace(/\.ts$/, '.js'));
  }
}
