import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts } from '../../local-cluster/ports.js';
import { ForeignProcess } from './foreign-process.js';
import { versionOf } from './program.js';
import type { System, SystemProcess } from './system.js';

const START_TIMEOUT_MS = 20_000;

/** One Redis that syncs every write to its disk, as ours does; nothing is replicated. It has its own protocol and its own generator. */
export class RedisSystem implements System {
  readonly name = 'redis';
  readonly description = `Redis ${/v=([\d.]+)/.exec(versionOf('redis-server'))?.[1] ?? ''}, one process, appendfsync always, RESP, redis-benchmark`;
  port = 0;
  private process: ForeignProcess | undefined;

  constructor(private readonly dataDir: string) {}

  async start(): Promise<void> {
    this.port = (await freePorts(1))[0]!;
    const dir = join(this.dataDir, 'redis');
    mkdirSync(dir, { recursive: true });
    this.process = new ForeignProcess(
      'redis-server',
      [
        ...['--port', String(this.port), '--bind', '127.0.0.1', '--dir', dir],
        ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
      ],
      join(dir, 'redis.log'),
    );
    this.process.start();
    await this.process.ready(() => answers(this.port), START_TIMEOUT_MS);
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }

  processes(): Promise<readonly SystemProcess[]> {
    return Promise.resolve([{ pid: this.process!.pid, kind: 'server' }]);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
}
