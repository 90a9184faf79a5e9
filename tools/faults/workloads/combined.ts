import type { HistoryEvent } from '@app/simulator';
import type { DatabaseClient } from '../database-client.js';
import type { Workload, WorkloadStage } from '../workload.js';

interface Part {
  readonly name: string;
  readonly workload: Workload;
}

/** Several workloads at the same time, on keys of their own. Clients are dealt out to them in turn. */
export class Combined implements Workload {
  private readonly parts: readonly Part[];
  private readonly partOf = new Map<DatabaseClient, Workload>();

  constructor(stage: WorkloadStage, workloads: Readonly<Record<string, (stage: WorkloadStage) => Workload>>) {
    const names = Object.keys(workloads);
    if (stage.clients.length < names.length) throw new RangeError(`${names.length} workloads need a client each`);
    this.parts = names.map((name, i) => {
      const clients = stage.clients.filter((_, c) => c % names.length === i);
      const workload = workloads[name]!(partOf(stage, name, clients));
      for (const client of clients) this.partOf.set(client, workload);
      return { name, workload };
    });
  }

  step(client: DatabaseClient): Promise<void> {
    return this.partOf.get(client)!.step(client);
  }

  async disturb(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const disturbing = this.parts.flatMap(({ workload }) => workload.disturb?.(signal) ?? []);
    return new Map((await Promise.all(disturbing)).flatMap((counts) => [...counts]));
  }

  async settle(client: DatabaseClient): Promise<void> {
    for (const { workload } of this.parts) await workload.settle(client);
  }

  async check(): Promise<readonly string[]> {
    const faults: string[] = [];
    for (const { name, workload } of this.parts) {
      faults.push(...(await workload.check()).map((fault) => `${name}: ${fault}`));
    }
    return faults;
  }
}

function partOf(stage: WorkloadStage, name: string, clients: readonly DatabaseClient[]): WorkloadStage {
  const keys = new Set<string>();
  return {
    ...stage,
    clients,
    keyOf: (clusterId, key) => {
      const placed = stage.keyOf(clusterId, `${name}-${key}`);
      keys.add(placed.key);
      return placed;
    },
    get events(): readonly HistoryEvent[] {
      return stage.events.filter(({ key }) => keys.has(key));
    },
  };
}
