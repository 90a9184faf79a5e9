/** Which run is wanted. What is left out is the simulator's to choose, from the seed. */
export interface SeedRequest {
  readonly seed: number;
  readonly ticks?: number;
  readonly nodes?: number;
  readonly faults?: readonly string[];
}

export interface SeedFailure {
  /** The stable name of what was violated. */
  readonly check: string;
  readonly message: string;
  /** Simulated. */
  readonly time: number;
}

/** What a run came to, small enough to travel between processes. */
export interface SeedReport {
  readonly seed: number;
  readonly ticks: number;
  readonly events: number;
  readonly operations: { readonly ok: number; readonly fail: number; readonly info: number };
  /** Of each kind, how many. */
  readonly faultsInjected: Readonly<Record<string, number>>;
  readonly traceHash: string;
  readonly elapsedMs: number;
  /** The history was too long for a verdict on its linearizability; all other checks have passed or failed as ever. */
  readonly isUndecided?: true;
  readonly failure?: SeedFailure;
}

/** Checks of the process around the simulator: a run that comes to no result of its own. */
export const PROCESS_CHECKS = {
  stuck: 'run-ends',
  died: 'process-survives',
  threw: 'simulator-throws-nothing',
} as const;

export function unfinishedReport(seed: number, check: string, message: string, elapsedMs: number): SeedReport {
  return {
    seed,
    ticks: 0,
    events: 0,
    operations: { ok: 0, fail: 0, info: 0 },
    faultsInjected: {},
    traceHash: '',
    elapsedMs,
    failure: { check, message, time: 0 },
  };
}
