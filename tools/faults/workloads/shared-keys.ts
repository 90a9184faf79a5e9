import type { DatabaseClient, PlacedKey } from '../database-client.js';
import type { Completion } from '../history-recorder.js';
import { faultsWithReplicas } from '../key-check.js';
import type { Workload, WorkloadStage } from '../workload.js';

/** Clients that work on the same key at the same time: enough for conflicts, few enough for a quick check. */
const CLIENTS_PER_KEY = 4;
/** After so many operations, or so many of unknown outcome, a group goes on with a new key: both make a check expensive. */
const OPERATIONS_PER_KEY = 300;
const UNKNOWN_PER_KEY = 4;
const FINAL_READ_TRIES_MAX = 5;

interface Group {
  readonly clusterId: string;
  readonly name: string;
  generation: number;
  operations: number;
  unknown: number;
}

/** What a client knows of the key that it works on. */
export interface Knowledge {
  readonly target: PlacedKey;
  /** Of the last answer that told one. */
  revision: number | undefined;
  /** A text that nobody has written before. */
  nextValue(): string;
}

/** One operation on the key; updates what is known from the answer with `learn`. */
export type KeyStep = (client: DatabaseClient, knowledge: Knowledge) => Promise<Completion>;

/** Groups of clients, each on one key at a time, spread over all clusters. Checked for linearizability, key by key. */
export class SharedKeys implements Workload {
  private readonly groupOf = new Map<DatabaseClient, Group>();
  private readonly knowledgeOf = new Map<DatabaseClient, Knowledge>();
  private readonly targets = new Map<string, PlacedKey>();
  private values = 0;

  constructor(
    protected readonly stage: WorkloadStage,
    private readonly keyStep: KeyStep,
  ) {
    const { clients, system } = stage;
    const groupCount = Math.max(system.clusterIds.length, Math.ceil(clients.length / CLIENTS_PER_KEY));
    const groups = Array.from({ length: groupCount }, (_, i): Group => {
      const clusterId = system.clusterIds[i % system.clusterIds.length]!;
      return { clusterId, name: `k${i}`, generation: 0, operations: 0, unknown: 0 };
    });
    clients.forEach((client, i) => this.groupOf.set(client, groups[i % groupCount]!));
  }

  async step(client: DatabaseClient): Promise<void> {
    const group = this.groupOf.get(client)!;
    if (group.operations >= OPERATIONS_PER_KEY || group.unknown >= UNKNOWN_PER_KEY) {
      Object.assign(group, { generation: group.generation + 1, operations: 0, unknown: 0 });
    }
    const completion = await this.keyStep(client, this.knowledge(client, group));
    group.operations += 1;
    if (completion.type === 'info') group.unknown += 1;
  }

  /** Every key is read once more. */
  async settle(client: DatabaseClient): Promise<void> {
    for (const target of this.targets.values()) {
      for (let tries = 0; tries < FINAL_READ_TRIES_MAX; tries++) {
        if ((await client.read(target)).type === 'ok') break;
      }
    }
  }

  async check(): Promise<readonly string[]> {
    return faultsWithReplicas(this.stage, [...this.targets.values()]);
  }

  private knowledge(client: DatabaseClient, { clusterId, name, generation }: Group): Knowledge {
    const target = this.stage.keyOf(clusterId, `${name}.${generation}`);
    const known = this.knowledgeOf.get(client);
    if (known?.target.key === target.key) return known;
    this.targets.set(target.key, target);
    const knowledge = { target, revision: undefined, nextValue: () => `v${++this.values}` };
    this.knowledgeOf.set(client, knowledge);
    return knowledge;
  }
}

/** Remembers the revision that the answer tells, also that of a refusal. */
export function learn(knowledge: Knowledge, completion: Completion): Completion {
  if (completion.type === 'ok') {
    const { revision } = (completion.value ?? { revision: undefined }) as { revision?: number };
    knowledge.revision = revision === 0 ? undefined : revision;
  }
  return completion;
}
