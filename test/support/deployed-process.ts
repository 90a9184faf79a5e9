import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../tools/local-cluster/ports.js';
import { eventually } from './eventually.js';

/** What a manifest says of one process: everything that a container runtime or systemd would take from it. */
export interface ProcessSpec {
  readonly name: string;
  /** The name in the DNS under which others find it. */
  readonly host: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Where the image has what lies elsewhere in the repository (Dockerfile: COPY). */
const FILES_OF_IMAGE: Readonly<Record<string, string>> = { 'health.mjs': 'deploy/docker/health.mjs' };

const LISTENING = ['RINGRAFT_LISTEN', 'RINGRAFT_OPS_LISTEN'];

/**
 * The processes of a manifest on this machine: the same commands with the same variables and no others, but that every name of the DNS with its port
 * has become a free port of the loopback address, and every data directory one of its own.
 */
export class DeployedSystem {
  readonly processes: readonly DeployedProcess[];

  private constructor(
    private readonly directory: string,
    specs: readonly ProcessSpec[],
    addresses: ReadonlyMap<string, string>,
  ) {
    this.processes = specs.map((spec) => new DeployedProcess(spec, addresses, directory));
  }

  /** Nothing runs yet. */
  static async layOut(specs: readonly ProcessSpec[]): Promise<DeployedSystem> {
    const listened = specs.flatMap(({ host, env }) =>
      LISTENING.flatMap((name) => (env[name] === undefined ? [] : [`${host}:${portOf(env[name])}`])),
    );
    const ports = await freePorts(listened.length);
    const addresses = new Map(listened.map((address, i) => [address, `127.0.0.1:${ports[i]}`]));
    return new DeployedSystem(mkdtempSync(join(tmpdir(), 'ringraft-deployed-')), specs, addresses);
  }

  process(name: string): DeployedProcess {
    const found = this.processes.find((process) => process.spec.name === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  /** Starts the processes of these names, and waits until each of them is ready. */
  async start(names: readonly string[], timeoutMs: number): Promise<void> {
    const started = names.map((name) => this.process(name));
    for (const process of started) process.start();
    for (const process of started) await process.answers('/readyz', timeoutMs);
  }

  /** SIGTERM to all at once. Resolves with the exit codes by name. */
  async stop(): Promise<Record<string, number | null>> {
    const running = this.processes.filter(({ hasStarted }) => hasStarted);
    return Object.fromEntries(
      await Promise.all(running.map(async (process) => [process.spec.name, await process.stop()] as const)),
    );
  }

  async dispose(): Promise<void> {
    for (const process of this.processes) process.kill();
    await Promise.all(this.processes.map((process) => process.exited));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class DeployedProcess {
  private readonly env: Readonly<Record<string, string>>;
  private readonly logPath: string;
  private child: ChildProcess | undefined;
  exited: Promise<number | null> = Promise.resolve(null);

  constructor(
    readonly spec: ProcessSpec,
    private readonly addresses: ReadonlyMap<string, string>,
    directory: string,
  ) {
    this.logPath = join(directory, `${spec.name}.log`);
    this.env = Object.fromEntries(
      Object.entries(spec.env).map(([name, value]) => {
        if (name === 'RINGRAFT_DATA_DIR') return [name, join(directory, spec.name)];
        if (LISTENING.includes(name)) return [name, this.addressOf(portOf(value))];
        return [name, withAddresses(value, addresses)];
      }),
    );
  }

  /** host:port at which this port of the manifest is found here. */
  addressOf(port: number): string {
    const address = this.addresses.get(`${this.spec.host}:${port}`);
    if (address === undefined) throw new Error(`${this.spec.name} does not listen on ${port}`);
    return address;
  }

  /** Of the server for health: of its own, or the only one. */
  get healthUrl(): string {
    const { RINGRAFT_OPS_LISTEN: ops, RINGRAFT_LISTEN: listen } = this.env;
    return `http://${ops ?? listen}`;
  }

  get hasStarted(): boolean {
    return this.child !== undefined;
  }

  start(): void {
    const log = openSync(this.logPath, 'a');
    const child = this.spawn(this.spec.command, ['ignore', log, log]);
    closeSync(log);
    this.child = child;
    this.exited = new Promise((resolve) => child.on('exit', resolve));
  }

  /** Runs a command beside the process, with its variables, as a hook or a health check is. */
  run(command: readonly string[]): Promise<{ readonly code: number | null; readonly printed: string }> {
    return new Promise((resolve, reject) => {
      const child = this.spawn(command, ['ignore', 'pipe', 'pipe']);
      let printed = '';
      child.stdout!.on('data', (part: Buffer) => (printed += part.toString()));
      child.stderr!.on('data', (part: Buffer) => (printed += part.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, printed }));
    });
  }

  async answers(path: string, timeoutMs: number): Promise<void> {
    try {
      await eventually(
        `${this.spec.name} answers ${path}`,
        async () => (await fetch(`${this.healthUrl}${path}`)).ok,
        timeoutMs,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}; it printed: ${readFileSync(this.logPath, 'utf8').slice(-2_000)}`, {
        cause: error,
      });
    }
  }

  async isLeader(): Promise<boolean> {
    return /^ringraft_is_leader\{.*\} 1$/m.test(await (await fetch(`${this.healthUrl}/metrics`)).text());
  }

  stop(): Promise<number | null> {
    this.child?.kill('SIGTERM');
    return this.exited;
  }

  kill(): void {
    this.child?.kill('SIGKILL');
  }

  private spawn([program, ...args]: readonly string[], stdio: ('ignore' | 'pipe' | number)[]): ChildProcess {
    if (program !== 'node' && program !== '/usr/bin/node') throw new Error(`${program} is not what is to be run`);
    return spawn(
      process.execPath,
      args.map((arg) => FILES_OF_IMAGE[arg] ?? arg),
      { env: { PATH: process.env['PATH'] ?? '', ...this.env }, stdio },
    );
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

function withAddresses(text: string, addresses: ReadonlyMap<string, string>): string {
  return text.replaceAll(/[a-z][\w.-]*:\d+/g, (address) => addresses.get(address) ?? address);
}
