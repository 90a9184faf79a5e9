import type { Operation } from './history.js';

/**
 * What one key does when operations are applied to it one after the other. A state says what is *known* of the key, so
 * it may stand for several real ones (a record written by an operation that was never answered has some unknown revision).
 *
 * If `covers(a, b)`, then whatever can follow `b` can follow `a`, and the states after it are again covered.
 */
export interface Model<State = unknown, Step = unknown> {
  readonly name: string;
  readonly initial: State;

  /** The operation in the model's own form. Throws a `HistoryError` for a function or value that it does not know. */
  compile(operation: Operation): Step;

  /** Never changes the key, whatever its state. */
  isRead(step: Step): boolean;

  /**
   * The state after the operation, or `undefined` if it cannot give its answer here. An operation of unknown outcome
   * may give any answer; it is `undefined` where it would change nothing because a condition of it does not hold.
   */
  apply(state: State, step: Step): State | undefined;

  /**
   * Whether it can matter to `later` that `earlier`, of unknown outcome, comes right before it. If not, then wherever
   * `later` is possible after `earlier` it is so without it, too, and leads to a state that covers the other.
   */
  observes(later: Step, earlier: Step): boolean;

  /**
   * Puts steps that no other step of this key can tell apart in one and the same form, with texts that say so. Given all
   * steps of the key; the result is only used for those of unknown outcome.
   */
  blurred?(steps: readonly Step[]): readonly Step[];

  /** Every real state that `b` stands for is one that `a` stands for. */
  covers(a: State, b: State): boolean;

  /** The same text for the same state, and only for it. */
  keyOf(state: State): string;

  /** For people. */
  show(state: State): string;
}

/** Stands for values that are never read and never compared with: they need not be told apart. */
export const NEVER_SEEN = '(never seen)';
