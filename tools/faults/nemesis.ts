import { setTimeout as delay } from 'node:timers/promises';
import type { LocalNode } from '../local-cluster/local-cluster.js';
import type { Availability } from './availability.js';
import type { Chance } from './chance.js';
import type { FaultNetwork } from './fault-network.js';
import type { FaultSystem } from './fault-system.js';

const REST_MS = [300, 1_200] as const;

/** One cluster, as its attacker sees it. */
export class Arena {
  private readonly injected = new Map<string, number>();

  constructor(
    readonly system: FaultSystem,
    readonly clusterId: string,
    readonly chance: Chance,
    readonly signal: AbortSignal,
    private readonly availability: Pick<Availability, 'leaderKilled'>,
  ) {}

  get network(): FaultNetwork {
    return this.system.network;
  }

  get nodes(): readonly LocalNode[] {
    return this.system.nodesOf(this.clusterId);
  }

  get gateways(): readonly string[] {
    return this.system.gatewayNames;
  }

  /** How often each kind of fault was really injected. */
  get counts(): ReadonlyMap<string, number> {
    return this.injected;
  }

  count(kind: string, times = 1): void {
    this.injected.set(kind, (this.injected.get(kind) ?? 0) + times);
  }

  /** The leader, when there is one within a second and the attack is still on. */
  async leader(): Promise<LocalNode | undefined> {
    let leader: LocalNode | undefined;
    await this.system.waitFor(
      async () => (leader = await this.system.leaderOf(this.clusterId)) !== undefined,
      1_000,
      this.signal,
    );
    return this.signal.aborted ? undefined : leader;
  }

  others(node: LocalNode): LocalNode[] {
    return this.nodes.filter((candidate) => candidate !== node);
  }

  /** Lets a fault last: some time within these bounds, less when the attack is called off. */
  last(leastMs: number, mostMs: number): Promise<void> {
    return delay(this.chance.int(leastMs, mostMs), undefined, { signal: this.signal }).catch(() => undefined);
  }

  /** `kill -9`. */
  async kill(node: LocalNode, kind: string): Promise<void> {
    await this.system.kill(node);
    this.count(kind);
  }

  async killLeader(): Promise<LocalNode | undefined> {
    const leader = await this.leader();
    if (leader === undefined) return undefined;
    const killedAtMs = performance.now();
    await this.kill(leader, 'kill leader');
    this.availability.leaderKilled(this.clusterId, killedAtMs);
    return leader;
  }

  /** Starts what does not run, and waits until the cluster is as it should be or the attack is called off. */
  async restore(): Promise<void> {
    for (const node of this.nodes) if (!node.isRunning) this.system.start(node);
    await this.system.waitFor(() => this.system.isWhole(this.clusterId), 60_000, this.signal);
  }
}

/** Breaks something in one cluster, lets it last, and mends it: also when the attack is called off meanwhile, and at once then. */
export type Disruption = (arena: Arena) => Promise<void>;

export interface Nemesis {
  /** What it does, one of them at a time in each cluster; nothing at all if there are none. */
  readonly disruptions: readonly Disruption[];
  /** How long an attacked cluster is left alone before the next attack. */
  readonly restMs?: readonly [least: number, most: number];
  /** After so many attacks, in all clusters together, it is over. */
  readonly attacksMax?: number;
  /** What the processes of the system need to be told. */
  readonly env?: Readonly<Record<string, string>>;
  /** It breaks disks. */
  readonly needsFaultyDisks?: boolean;
}

/** Attacks every cluster, each by itself, until the signal or as often as the nemesis wants to. Gives what was injected in all of them together. */
export async function attack(
  { disruptions, restMs = REST_MS, attacksMax = Infinity }: Nemesis,
  system: FaultSystem,
  chanceOf: (clusterId: string) => Chance,
  availability: Availability,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const arenas = system.clusterIds.map((id) => new Arena(system, id, chanceOf(id), signal, availability));
  let attacks = 0;
  if (disruptions.length === 0) await aborted(signal);
  await Promise.all(
    arenas.map(async (arena) => {
      while (!signal.aborted && attacks < attacksMax) {
        attacks += 1;
        await arena.last(...restMs);
        if (!signal.aborted) await arena.chance.pick(disruptions)(arena);
      }
    }),
  );
  const total = new Map<string, number>();
  for (const { counts } of arenas) {
    for (const [kind, times] of counts) total.set(kind, (total.get(kind) ?? 0) + times);
  }
  return total;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
