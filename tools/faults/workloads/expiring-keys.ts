import type { DatabaseClient, PlacedKey } from '../database-client.js';
import { readReplicas } from '../replicas.js';
import type { Workload, WorkloadStage } from '../workload.js';
import { expiryFaults } from './expiry-check.js';

const TTL_MS = [400, 2_500] as const;
/** Keys are looked at for so long after they must have gone. */
const WATCHED_AFTER_MS = 2_000;
/** Of the last ones, most still live. */
const ACKNOWLEDGED_MAX = 200;
/** All processes have the same clock; what remains is its resolution, and how it is adjusted. */
const CLOCK_MARGIN_MS = 50;
/** Expired keys are swept away, a thousand at a time; on a busy machine that takes a while. */
const SWEEP_TIMEOUT_MS = 60_000;

interface Watched {
  readonly target: PlacedKey;
  readonly untilMs: number;
}

/** Keys with a time to live, read before and after their end; some are made to stay by a second write. */
export class ExpiringKeys implements Workload {
  private readonly watched: Watched[] = [];
  private readonly expiring = new Map<string, PlacedKey>();
  /** Written with a time to live, acknowledged, and perhaps still there. */
  private readonly acknowledged: PlacedKey[] = [];
  private readonly lasting = new Set<string>();
  private keys = 0;

  constructor(private readonly stage: WorkloadStage) {}

  async step(client: DatabaseClient): Promise<void> {
    const { chance } = client;
    const nowMs = performance.now();
    while (this.watched[0] !== undefined && this.watched[0].untilMs < nowMs) this.watched.shift();
    const draw = chance.fraction();
    if (this.watched.length > 0 && draw < 0.75) {
      await client.read(chance.pick(this.watched).target);
    } else if (this.acknowledged.length > 0 && draw < 0.78) {
      // Only after the first write has ended, and only once: it must be clear which of them is the last.
      const target = this.acknowledged.splice(chance.int(0, this.acknowledged.length - 1), 1)[0]!;
      this.lasting.add(target.key);
      await client.write(target, `lasting ${target.key}`);
    } else {
      const target = this.stage.keyOf(chance.pick(this.stage.system.clusterIds), `t${this.keys++}`);
      const ttlMs = chance.int(...TTL_MS);
      this.expiring.set(target.key, target);
      this.watched.push({ target, untilMs: nowMs + ttlMs + WATCHED_AFTER_MS });
      const { type } = await client.write(target, `expiring ${target.key}`, {}, ttlMs);
      if (type === 'ok') this.acknowledged.push(target);
      if (this.acknowledged.length > ACKNOWLEDGED_MAX) this.acknowledged.shift();
    }
  }

  /** Waits until every node has dropped what must go. */
  async settle(client: DatabaseClient): Promise<void> {
    const { system } = this.stage;
    const left = new Set([...this.expiring.values()].filter(({ key }) => !this.lasting.has(key)));
    await system.waitFor(async () => {
      for (const target of left) {
        const { key, clusterId } = target;
        const held = await Promise.all(system.nodesOf(clusterId).map((node) => system.door(node).heldRecord(key)));
        if (held.some((record) => record !== null)) return false;
        left.delete(target);
      }
      return true;
    }, SWEEP_TIMEOUT_MS);
    for (const target of chosen(this.expiring.values(), 100)) await client.read(target);
  }

  async check(): Promise<readonly string[]> {
    const { system, clients, events } = this.stage;
    const replicas = await readReplicas(system, [...this.expiring.values()], {
      firstProcess: Math.max(...clients.map(({ process }) => process)) + 1,
      time: events.at(-1)?.time ?? 0,
    });
    const immortal = replicas.events.flatMap(({ key, type, value }) =>
      type === 'ok' && value !== null && !this.lasting.has(key) ? [`key ${key} is held long after its time`] : [],
    );
    return [...expiryFaults([...events, ...replicas.events], CLOCK_MARGIN_MS), ...replicas.faults, ...immortal];
  }
}

/** Evenly chosen, at most so many. */
function chosen<T>(items: Iterable<T>, most: number): T[] {
  const all = [...items];
  const every = Math.max(1, Math.floor(all.length / most));
  return all.filter((_, i) => i % every === 0);
}
