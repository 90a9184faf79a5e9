import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A directory that looks like a build of both apps, with `dummy-main.cjs` in their places, and room for data. */
export class DummyDist {
  private readonly root = mkdtempSync(join(tmpdir(), 'ringraft-dummy-'));
  readonly distDir = join(this.root, 'dist');
  readonly dataDir = join(this.root, 'data');

  constructor() {
    for (const app of ['raft-node', 'gateway']) {
      const main = join(this.distDir, 'apps', app, 'bundle/main.js');
      mkdirSync(dirname(main), { recursive: true });
      copyFileSync(join(__dirname, 'dummy-main.cjs'), main);
    }
  }

  /** Adds the built command line of `root`, so that it starts the dummies. Gives its path. */
  addCommand(root: string): string {
    cpSync(join(root, 'dist/tools'), join(this.distDir, 'tools'), { recursive: true });
    copyFileSync(join(root, 'package.json'), join(this.root, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(this.root, 'node_modules'));
    return join(this.distDir, 'tools/cluster.js');
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
