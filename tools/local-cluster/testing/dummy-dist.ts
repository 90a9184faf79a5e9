import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A directory that looks like a build of both apps, with `dummy-main.cjs` in their places, and room for data. */
export class DummyDist {
  private readonly root = mkdtempSync(join(tmpdir(), 'ringraft-dummy-'));
  readonly distDir = join(this.root, 'dist');
  readonly dataDir = join(this.root, 'data');

  constructor() {
    for (const app of ['raft-node', 'gateway']) {
      const main = join(this.distDir, 'apps', app, 'src/main.js');
      mkdirSync(dirname(main), { recursive: true });
      copyFileSync(join(__dirname, 'dummy-main.cjs'), main);
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
