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
