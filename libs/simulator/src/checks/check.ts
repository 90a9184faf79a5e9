import type { SimObserver } from '../observer.js';

/** One invariant, or a few that share their bookkeeping. It sees what happens and throws a `SimulationFailure` when that must not happen. */
export type Check = Partial<SimObserver>;
