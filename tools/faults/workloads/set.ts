import type { DatabaseClient, PlacedKey } from '../database-client.js';
import { faultsWithReplicas } from '../key-check.js';
import type { Workload, WorkloadStage } from '../workload.js';

/** A set of elements, each a key of its own that is written once: every one that was acknowledged is on every replica in the end. */
export class GrowingSet implements Workload {
  private readonly elements: PlacedKey[] = [];

  constructor(private readonly stage: WorkloadStage) {}

  async step(client: DatabaseClient): Promise<void> {
    const { chance } = client;
    if (this.elements.length > 0 && chance.happens(0.3)) {
      await client.read(chance.pick(this.elements));
      return;
    }
    const name = `e${this.elements.length}`;
    const element = this.stage.keyOf(chance.pick(this.stage.system.clusterIds), name);
    this.elements.push(element);
    await client.write(element, name, chance.happens(0.5) ? { ifAbsent: true } : {});
  }

  /** The replicas say it all. */
  async settle(): Promise<void> {}

  check(): Promise<readonly string[]> {
    return faultsWithReplicas(this.stage, this.elements);
  }
}
