import pc from 'picocolors';
import { CommandFailure } from './command-failure.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { GatewayClient } from './gateway/gateway-client.js';
import type { GlobalOptions } from './global-options.js';
import type { Io, OutputStream } from './io.js';
import type { NodeCalls } from './nodes/node-calls.js';
import { systemOfGateway } from './system/system-of-gateway.js';
import type { ClusterView, SystemView } from './system/system-view.js';

export type Colors = ReturnType<typeof pc.createColors>;

/**
 * The view of a system that is broken has to be there two seconds after the command was typed. What the start of the process has taken is
 * taken off, but gateways wait a second for their nodes, and they must be waited for.
 */
const SYSTEM_VIEW_END_MS = 1_800;
const SYSTEM_VIEW_MS_MAX = 1_500;
const SYSTEM_VIEW_MS_MIN = 1_200;

/**
 * What every command is given: whom to ask, and where to say what. The program sets the global options before the command's action
 * runs; nothing is asked of anybody before that.
 */
export class CommandContext {
  /** What the process ends with when the action returns; an action that throws a `CommandFailure` brings its own. */
  exitCode: ExitCode = EXIT.OK;
  private options: GlobalOptions | undefined;
  private gatewayClient: GatewayClient | undefined;
  private nodeCalls: NodeCalls | undefined;

  constructor(readonly io: Io) {}

  configure(options: GlobalOptions): void {
    this.options = options;
  }

  /** The result is for scripts: one JSON document on stdout, and no other word there. */
  get isJson(): boolean {
    return this.options?.output === 'json';
  }

  /** `--endpoint`: `http://host:port`, at least one. */
  get endpoints(): readonly string[] {
    return this.global.endpoint;
  }

  /** `--node`: host:port. */
  get nodeAddresses(): readonly string[] | undefined {
    return this.global.node;
  }

  /** `--timeout`: how long a command tries. */
  get timeoutMs(): number {
    return this.global.timeout;
  }

  get gateway(): GatewayClient {
    return (this.gatewayClient ??= new GatewayClient(this.global.endpoint, this.io.interrupted));
  }

  /** Loaded when first asked for: gRPC takes longer to start than everything else, and most commands ask a gateway. */
  async nodes(): Promise<NodeCalls> {
    const { NodeCalls } = await import('./nodes/node-calls.js');
    return (this.nodeCalls ??= new NodeCalls((id, timeoutMs) => this.cluster(id, timeoutMs)));
  }

  /**
   * All clusters, as a gateway sees them or, with `--node`, as these nodes do. Comes within 1.5 s, or throws a `CommandFailure`.
   */
  system(timeoutMs = this.timeoutMs): Promise<SystemView> {
    const { node } = this.global;
    return node === undefined ? systemOfGateway(this.gateway, systemViewMs(timeoutMs)) : this.askNodes(node, timeoutMs);
  }

  /**
   * One cluster as its own members know it: a gateway may not have heard yet who they are. Throws a `CommandFailure` that names the clusters
   * there are.
   */
  async cluster(id: string, timeoutMs = this.timeoutMs): Promise<ClusterView> {
    const deadline = performance.now() + timeoutMs;
    const found = (await this.system(timeoutMs)).clusters;
    const cluster = found.find((candidate) => candidate.id === id);
    if (!cluster) {
      const known = found.map((candidate) => candidate.id).join(', ');
      throw new CommandFailure(EXIT.NOT_FOUND, `there is no cluster ${id}`, { hint: `there are: ${known || 'none'}` });
    }
    if (this.global.node !== undefined) return cluster;
    const addresses = cluster.nodes.map(({ address }) => address);
    const { clusters } = await this.askNodes(addresses, deadline - performance.now());
    return clusters.find((candidate) => candidate.id === id) ?? cluster;
  }

  /** A line of the result, on stdout. */
  print(line: string): void {
    this.io.stdout.write(`${line}\n`);
  }

  /** The result as JSON, on stdout. */
  printJson(value: unknown): void {
    this.print(JSON.stringify(value, null, 2));
  }

  /** A line beside the result, on stderr. */
  note(line: string): void {
    this.io.stderr.write(`${line}\n`);
  }

  /** For text that goes to `stream`: only on a terminal, and not with NO_COLOR. */
  colorsFor(stream: OutputStream): Colors {
    return pc.createColors(stream.isTTY === true && pc.isColorSupported);
  }

  /** Ends all connections. */
  close(): void {
    this.nodeCalls?.close();
  }

  private async askNodes(addresses: readonly string[], timeoutMs: number): Promise<SystemView> {
    const nodes = await this.nodes();
    const { systemOfNodes } = await import('./system/system-of-nodes.js');
    return systemOfNodes(addresses, (address, forMs) => nodes.status(address, forMs), systemViewMs(timeoutMs));
  }

  private get global(): GlobalOptions {
    if (!this.options) throw new Error('the command line is not parsed yet');
    return this.options;
  }
}

function systemViewMs(timeoutMs: number): number {
  const sinceStartMs = performance.now();
  const boundMs = Math.max(SYSTEM_VIEW_MS_MIN, Math.min(SYSTEM_VIEW_MS_MAX, SYSTEM_VIEW_END_MS - sinceStartMs));
  return Math.max(1, Math.min(timeoutMs, boundMs));
}
