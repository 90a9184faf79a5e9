import type { NodePlace } from '../local-cluster/layout.js';
import type { Chance } from './chance.js';
import type { LinkQuality } from './lane.js';
import { TcpProxy } from './tcp-proxy.js';

/**
 * The network between the processes of one system: a proxy for each process and each node that it speaks to. A process
 * connects to others through its own proxies only, so what one sends to another can be broken without touching anything else.
 */
export class FaultNetwork {
  private constructor(private readonly proxies: ReadonlyMap<string, TcpProxy>) {}

  /** A proxy from each node to each other node of its cluster, and from each gateway to every node. */
  static async open(nodes: readonly NodePlace[], gateways: readonly string[], chance: Chance): Promise<FaultNetwork> {
    const proxies = new Map<string, TcpProxy>();
    for (const to of nodes) {
      const peers = nodes.filter(({ clusterId, nodeId }) => clusterId === to.clusterId && nodeId !== to.nodeId);
      for (const from of [...peers.map(({ nodeId }) => nodeId), ...gateways]) {
        proxies.set(linkName(from, to.nodeId), await TcpProxy.listen(to.address, () => chance.fraction()));
      }
    }
    return new FaultNetwork(proxies);
  }

  /** host:port at which the process finds the node. */
  addressFor(from: string, node: string): string {
    return this.link(from, node).address;
  }

  /** Nothing that `from` sends reaches `to`, be it on a connection of its own or in answer. */
  cutWay(from: string, to: string): void {
    this.proxies.get(linkName(from, to))?.cut('forward');
    this.proxies.get(linkName(to, from))?.cut('backward');
  }

  /** Nothing passes between them. */
  cutBetween(a: string, b: string): void {
    this.cutWay(a, b);
    this.cutWay(b, a);
  }

  /** Both ways. */
  impair(a: string, b: string, quality: LinkQuality): void {
    for (const proxy of this.between(a, b)) proxy.set(quality);
  }

  /** Resets what is open between them; gives how many connections there were. */
  reset(a: string, b: string): number {
    return this.between(a, b).reduce((sum, proxy) => sum + proxy.reset(), 0);
  }

  refuse(a: string, b: string): void {
    for (const proxy of this.between(a, b)) proxy.refuse();
  }

  heal(a: string, b: string): void {
    for (const proxy of this.between(a, b)) proxy.heal();
  }

  healAll(): void {
    for (const proxy of this.proxies.values()) proxy.heal();
  }

  async close(): Promise<void> {
    await Promise.all([...this.proxies.values()].map((proxy) => proxy.close()));
  }

  /** All that passed through, since the start. */
  get counts(): { readonly connections: number; readonly resets: number; readonly bytes: number } {
    let [connections, resets, bytes] = [0, 0, 0];
    for (const { counts } of this.proxies.values()) {
      connections += counts.connections;
      resets += counts.resets;
      bytes += counts.forwardBytes + counts.backwardBytes;
    }
    return { connections, resets, bytes };
  }

  private between(a: string, b: string): TcpProxy[] {
    const proxies = [linkName(a, b), linkName(b, a)].flatMap((name) => this.proxies.get(name) ?? []);
    if (proxies.length === 0) throw new Error(`there is no link between ${a} and ${b}`);
    return proxies;
  }

  private link(from: string, to: string): TcpProxy {
    const proxy = this.proxies.get(linkName(from, to));
    if (!proxy) throw new Error(`there is no link from ${from} to ${to}`);
    return proxy;
  }
}

function linkName(from: string, to: string): string {
  return `${from} -> ${to}`;
}
