import type { Workload, WorkloadStage } from '../workload.js';
import { CounterWithForcedRetries } from './counter.js';
import { ExpiringKeys } from './expiring-keys.js';
import { deleteStep, registerStep } from './register.js';
import { GrowingSet } from './set.js';
import { SharedKeys } from './shared-keys.js';

/** Every workload, by name. */
export const WORKLOADS = {
  register: (stage) => new SharedKeys(stage, registerStep),
  counter: (stage) => new CounterWithForcedRetries(stage),
  set: (stage) => new GrowingSet(stage),
  deletes: (stage) => new SharedKeys(stage, deleteStep),
  expiry: (stage) => new ExpiringKeys(stage),
} as const satisfies Record<string, (stage: WorkloadStage) => Workload>;

export type WorkloadName = keyof typeof WORKLOADS;
