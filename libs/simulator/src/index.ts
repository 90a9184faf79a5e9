/**
 * Whole Raft clusters in one process, from one seed: the classes of the real node on a simulated clock, network and disk, with faults,
 * operators and clients, and checks after every step. The same seed gives the same run, bit for bit.
 */
export {
  type DiskBehaviour,
  type LinkBehaviour,
  type PowerLossLeaves,
  type ProcessBehaviour,
  type WorldControl,
} from './world-control.js';
export { SimulationFailure, UNITS_PER_TICK, type NodeDoor, type ObservedNode, type SimObserver } from './observer.js';
export { World, type WorldOptions } from './world.js';
export { FAULT_KINDS, isFaultKind, type Fault, type FaultKind } from './plan/fault.js';
export { type RunPlan } from './plan/run-plan.js';
export { runSeed, type RunFailure, type RunOptions, type RunResult } from './run.js';
export { replayScenario, shrink, type Scenario, type ShrinkOptions } from './shrink.js';
export { HistoryError, type HistoryEvent } from './linearizability/history.js';
export { fromJsonLines, toJsonLines } from './linearizability/json-lines.js';
export { checkLinearizability } from './linearizability/check-linearizability.js';
export { type Model } from './linearizability/model.js';
export { registerModel } from './linearizability/models/register.js';
export { casRegisterModel } from './linearizability/models/cas-register.js';
export { counterModel } from './linearizability/models/counter.js';
export { recordModel } from './linearizability/models/record.js';
