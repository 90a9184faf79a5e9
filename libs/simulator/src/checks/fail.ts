import { SimulationFailure } from '../observer.js';

/** Ends the run: `check` is the stable name under which the scoreboard and the corpus know what was broken. */
export function fail(check: string, message: string): never {
  throw new SimulationFailure(check, message);
}
