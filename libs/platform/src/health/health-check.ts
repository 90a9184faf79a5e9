export interface HealthResult {
  readonly ok: boolean;
  /** Why not, in a few words; shown to operators. With `ok` something else that they should know. */
  readonly reason?: string;
}

/**
 * One thing that must be so for a process to be alive, or ready. `check` looks at what is known already and never
 * waits: a health check that hangs is worse than none. If it throws, it has failed with that reason.
 */
export interface HealthCheck {
  /** In kebab-case; unique within the process. */
  readonly name: string;
  check(): HealthResult;
}

export interface NamedHealthResult extends HealthResult {
  readonly name: string;
}
