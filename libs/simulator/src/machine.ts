import type { DurableKeySpace } from './durable-key-space.js';
import type { ObservedNode } from './observer.js';
import type { ProcessClock } from './process-clock.js';
import type { SimulatedDisk } from './simulated-disk.js';
import type { PowerLossLeaves, ProcessBehaviour } from './world-control.js';

/** What a process finds when it starts, and what stays when it ends. */
export interface Machine extends ObservedNode {
  readonly disk: SimulatedDisk;
  readonly keySpace: DurableKeySpace;
  readonly clock: ProcessClock;
  readonly behaviour: ProcessBehaviour;
  /** Someone has damaged its files from outside: then it may refuse to start. */
  readonly isDamaged: boolean;
  /** A leader's clock for its entries: never before `appliedMs`, and it never runs back. */
  logTimeMs(appliedMs: number): number;
  /** To be called by the process that dies. */
  processEnded(process: object, powerLoss: PowerLossLeaves | undefined): void;
}
