import type { Workload, WorkloadStage } from '../workload.js';
import { Combined } from './combined.js';
import { CounterWithForcedRetries, counterStep } from './counter.js';
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

/** All of them at once, each with its share of the clients. */
export const everyWorkload = (stage: WorkloadStage): Workload => new Combined(stage, WORKLOADS);

/** What would show a write that was lost or doubled. */
export const exactlyOnce = (stage: WorkloadStage): Workload =>
  new Combined(stage, { counter: (part) => new SharedKeys(part, counterStep), set: WORKLOADS.set });
