/** How a command ended, for scripts. The numbers are part of the interface: docs/ringctl.md lists them. */
export const EXIT = {
  OK: 0,
  /** Refused, or defective: the same command fails again. */
  FAILED: 1,
  /** The command line makes no sense; nothing was asked of anybody. */
  USAGE: 2,
  /** The key, cluster or node that was named is not there. */
  NOT_FOUND: 3,
  /** Nobody answered, or there is no leader: surely without effect, and worth another try. */
  UNAVAILABLE: 4,
  /** It may have taken effect, or still will. */
  UNKNOWN: 5,
  /** `--if-match` or `--if-absent` does not hold; nothing was written. */
  CONDITION_FAILED: 6,
  /** Ctrl-C: 128 + SIGINT. */
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
