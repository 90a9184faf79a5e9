import { join } from 'node:path';
import { httpGet } from '../../local-cluster/http-get.js';
import { freePorts } from '../../local-cluster/ports.js';
import { ForeignProcess } from './foreign-process.js';
import type { HttpSystem, SystemProcess } from './system.js';

const START_TIMEOUT_MS = 20_000;

/** A bare `node:http` server: what the runtime alone can do. */
export class EchoSystem implements HttpSystem {
  readonly name = 'echo';
  readonly description = 'a bare node:http server, one process';
  readonly dialect = 'echo';
  private process: ForeignProcess | undefined;
  private port = 0;

  constructor(private readonly dataDir: string) {}

  async start(): Promise<void> {
    this.port = (await freePorts(1))[0]!;
    this.process = new ForeignProcess(
      process.execPath,
      [join(import.meta.dirname, 'echo-server.js')],
      join(this.dataDir, 'echo.log'),
      { PORT: String(this.port) },
    );
    this.process.start();
    const probe = async () => (await httpGet(`http://127.0.0.1:${this.port}/bytes/1`, 1_000)).status === 200;
    await this.process.ready(probe, START_TIMEOUT_MS);
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }

  url(): Promise<string> {
    return Promise.resolve(`http://127.0.0.1:${this.port}`);
  }

  processes(): Promise<readonly SystemProcess[]> {
    return Promise.resolve([{ pid: this.process!.pid, kind: 'server' }]);
  }
}
