export const FATAL = Symbol('FatalHandler');

/**
 * Ends the process with an exit code that is not 0. Called once, after the node has fallen silent: when a write to the log or a
 * sync has failed (a later success would prove nothing), or when an invariant is broken.
 */
export type FatalHandler = (error: unknown) => void;
