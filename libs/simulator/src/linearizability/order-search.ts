import { BitSet } from './bit-set.js';
import { EventList } from './event-list.js';
import type { Operation } from './history.js';
import type { Model } from './model.js';

/** How a search for an order ended. `steps` counts how often the model was asked what an operation would do. */
export type SearchResult =
  | { readonly kind: 'found'; readonly steps: number }
  | { readonly kind: 'none'; readonly steps: number; readonly deadEnd: DeadEnd }
  | { readonly kind: 'gave up'; readonly steps: number };

/** The furthest that the search came, by the completion that no order could pass, and then by operations placed. */
export interface DeadEnd {
  /** In order, each with the state after it. */
  readonly placed: readonly { readonly operation: Operation; readonly state: string }[];
  readonly state: string;
  /** With known answers, not placed though they could have come next: their answers are wrong here. */
  readonly stuck: readonly Operation[];
  /** With unknown outcomes, invoked by then and not placed; reads are left out. */
  readonly unused: readonly Operation[];
}

/** Some operations in an order, and the state after them. */
interface Config<State> {
  readonly state: State;
  /** The operation that came last: one of `required`, or one of `optional`; the other is -1, in the first config both. */
  readonly required: number;
  readonly optional: number;
  /** The greatest index of the required operations that are placed. */
  readonly highest: number;
  /** Where the search for what comes next goes on: after this event of the list, then from this optional operation. */
  event: number;
  nextOptional: number;
  /** A read that the state already answers comes next, without alternatives. */
  isForced: boolean;
  isEntered: boolean;
}

/**
 * Looks for an order of the operations of one key in which each gives its answer, and none comes before one that was
 * completed before it was invoked: Wing and Gong's search with Lowe's memory of the configurations (set of placed
 * operations, state) that have been tried. Operations of unknown outcome need not be placed. What keeps them, and
 * reads, from multiplying the configurations:
 *
 * - A read that the state already answers comes next at once: moving it forward changes nothing for the others.
 * - A configuration is not tried if one with the same required operations and state but fewer optional ones was.
 * - An optional operation is placed as late as it can be: only if one that observes it may come next. After it, an
 *   operation is not tried that could as well have come before it, or without it.
 * - Optional operations that do the same, as far as others can tell, are placed in the order of their invocation.
 *
 * None of these loses an order: of the orders with the fewest optional operations, one is left.
 */
export class OrderSearch<State, Step> {
  private readonly required: readonly Operation[];
  /** Of unknown outcome. */
  private readonly unknown: readonly Operation[];
  /** Those of unknown outcome that some other operation may observe: the others are never needed. */
  private readonly optional: readonly Operation[];
  private readonly requiredSteps: readonly Step[];
  private readonly optionalSteps: readonly Step[];
  /** The one before, by invocation, that does the same; -1 if none. */
  private readonly sameBefore: readonly number[];
  /** The optional operations that may observe this one. */
  private readonly optionalObservers: readonly (readonly number[])[];
  private readonly events: EventList;
  private readonly isPlaced: BitSet;
  private readonly isUsed: BitSet;
  /** By required operations and state: the sets of optional operations, none of which includes another. */
  private readonly tried = new Map<string, Uint32Array[]>();
  private readonly path: Config<State>[];
  private remaining: number;
  private steps = 0;
  /** `rank`: the first completion that is not placed; then as many required and as few optional ones as possible. */
  private deadEnd: { readonly rank: readonly number[]; readonly found: DeadEnd } | undefined;

  /** The operations of one key, in the order of invocation. Throws a `HistoryError` for what the model does not know. */
  constructor(
    private readonly model: Model<State, Step>,
    operations: readonly Operation[],
  ) {
    const exact = operations.map((operation) => model.compile(operation));
    const blurred = model.blurred?.(exact) ?? exact;
    const compiled = operations.map((operation, i) => {
      const step = operation.answer === undefined ? blurred[i]! : exact[i]!;
      return { operation, step };
    });
    const required = compiled.filter(({ operation }) => operation.answer !== undefined);
    const unknown = compiled.filter(({ operation, step }) => operation.answer === undefined && !model.isRead(step));
    const observersOf = ({ operation: earlier, step }: (typeof compiled)[number]) =>
      compiled.filter(
        (later) =>
          later.operation !== earlier &&
          later.operation.completedAt > earlier.invokedAt &&
          model.observes(later.step, step),
      );
    const optional = unknown.filter((candidate) => observersOf(candidate).length > 0);
    this.required = required.map(({ operation }) => operation);
    this.requiredSteps = required.map(({ step }) => step);
    this.unknown = unknown.map(({ operation }) => operation);
    this.optional = optional.map(({ operation }) => operation);
    this.optionalSteps = optional.map(({ step }) => step);
    this.optionalObservers = optional.map((earlier, i) =>
      optional.flatMap((later, j) => (j !== i && model.observes(later.step, earlier.step) ? [j] : [])),
    );
    this.sameBefore = indexesOfSameBefore(this.optionalSteps);
    this.events = new EventList(this.required);
    this.isPlaced = new BitSet(this.required.length);
    this.isUsed = new BitSet(this.optional.length);
    this.remaining = this.required.length;
    this.path = [this.config(model.initial, -1, -1, -1)];
  }

  /** Gives up when the model has been asked `stepsMax` times. */
  run(stepsMax: number): SearchResult {
    while (this.remaining > 0) {
      const config = this.path.at(-1);
      if (config === undefined) return { kind: 'none', steps: this.steps, deadEnd: this.deadEnd!.found };
      if (this.steps > stepsMax) return { kind: 'gave up', steps: this.steps };
      const next = this.nextOf(config);
      if (next === undefined) {
        this.leave(config);
      } else {
        this.enter(next);
      }
    }
    return { kind: 'found', steps: this.steps };
  }

  private config(state: State, required: number, optional: number, highest: number): Config<State> {
    const event = this.events.end;
    return { state, required, optional, highest, event, nextOptional: 0, isForced: false, isEntered: false };
  }

  private apply(state: State, step: Step): State | undefined {
    this.steps++;
    return this.model.apply(state, step);
  }

  private enter(config: Config<State>): void {
    if (config.required >= 0) {
      this.events.lift(config.required);
      this.isPlaced.add(config.required);
      this.remaining--;
    } else {
      this.isUsed.add(config.optional);
    }
    this.path.push(config);
    if (this.remaining > 0 && !this.isNew(config)) this.undo(config);
  }

  private leave(config: Config<State>): void {
    if (!config.isForced) this.noteDeadEnd(config);
    this.undo(config);
  }

  private undo(config: Config<State>): void {
    this.path.pop();
    if (config.required >= 0) {
      this.events.putBack(config.required);
      this.isPlaced.remove(config.required);
      this.remaining++;
    } else if (config.optional >= 0) {
      this.isUsed.remove(config.optional);
    }
  }

  /** Remembers the configuration, unless one that can do all that it can was tried. */
  private isNew({ state, highest }: Config<State>): boolean {
    const lowest = this.events.after(this.events.end) >>> 1;
    const key = `${lowest}.${this.isPlaced.textOf(lowest, Math.max(lowest, highest))}${this.model.keyOf(state)}`;
    const sets = this.tried.get(key);
    if (sets === undefined) {
      this.tried.set(key, [this.isUsed.copy()]);
      return true;
    }
    if (sets.some((set) => this.isUsed.includes(set))) return false;
    const kept = sets.filter((set) => !this.isUsed.isIncludedIn(set));
    kept.push(this.isUsed.copy());
    this.tried.set(key, kept);
    return true;
  }

  /** The next configuration to try after this one. */
  private nextOf(config: Config<State>): Config<State> | undefined {
    if (config.isForced) return undefined;
    if (!config.isEntered) {
      config.isEntered = true;
      const read = this.answeredRead(config);
      if (read !== undefined) {
        config.isForced = true;
        return read;
      }
    }
    return this.nextRequired(config) ?? this.nextOptional(config);
  }

  private answeredRead(config: Config<State>): Config<State> | undefined {
    for (let event = this.events.after(this.events.end); this.events.isCall(event); event = this.events.after(event)) {
      const index = event >>> 1;
      const step = this.requiredSteps[index]!;
      if (!this.model.isRead(step)) continue;
      const state = this.apply(config.state, step);
      if (state === undefined || !this.model.covers(state, config.state)) continue;
      return this.config(state, index, -1, Math.max(config.highest, index));
    }
    return undefined;
  }

  private nextRequired(config: Config<State>): Config<State> | undefined {
    for (;;) {
      const event = this.events.after(config.event);
      if (!this.events.isCall(event)) return undefined;
      config.event = event;
      const index = event >>> 1;
      const step = this.requiredSteps[index]!;
      const state = this.apply(config.state, step);
      if (state === undefined || this.couldComeEarlier(config, step, state, true)) continue;
      return this.config(state, index, -1, Math.max(config.highest, index));
    }
  }

  private nextOptional(config: Config<State>): Config<State> | undefined {
    const blockedAt = this.blockedAt();
    while (config.nextOptional < this.optional.length) {
      const index = config.nextOptional;
      if (this.optional[index]!.invokedAt > blockedAt) return undefined;
      config.nextOptional++;
      if (this.isUsed.has(index)) continue;
      const same = this.sameBefore[index]!;
      if (same >= 0 && !this.isUsed.has(same)) continue;
      if (!this.isObservable(index, blockedAt)) continue;
      const step = this.optionalSteps[index]!;
      const state = this.apply(config.state, step);
      if (state === undefined || this.model.covers(config.state, state)) continue;
      if (this.couldComeEarlier(config, step, state, index < config.optional)) continue;
      return this.config(state, -1, index, config.highest);
    }
    return undefined;
  }

  /** Something that may come right after this optional operation observes it. */
  private isObservable(optional: number, blockedAt: number): boolean {
    const step = this.optionalSteps[optional]!;
    for (let event = this.events.after(this.events.end); this.events.isCall(event); event = this.events.after(event)) {
      if (this.model.observes(this.requiredSteps[event >>> 1]!, step)) return true;
    }
    return this.optionalObservers[optional]!.some(
      (observer) => !this.isUsed.has(observer) && this.optional[observer]!.invokedAt < blockedAt,
    );
  }

  /**
   * `step`, which leads from this configuration to `state`, leads to as much without the optional operation that came
   * last, or before it. Of two optional ones that can change places only one order may be left out: `maySwap`.
   */
  private couldComeEarlier(config: Config<State>, step: Step, state: State, maySwap: boolean): boolean {
    if (config.optional < 0) return false;
    const without = this.apply(this.path.at(-2)!.state, step);
    if (without === undefined) return false;
    if (this.model.covers(without, state)) return true;
    if (!maySwap) return false;
    const swapped = this.apply(without, this.optionalSteps[config.optional]!);
    return swapped !== undefined && this.model.covers(swapped, state);
  }

  /** The position of the first completion that is not placed: nothing that was invoked later may come next. */
  private blockedAt(): number {
    let event = this.events.after(this.events.end);
    while (this.events.isCall(event)) event = this.events.after(event);
    return this.required[event >>> 1]!.completedAt;
  }

  private noteDeadEnd({ state }: Config<State>): void {
    const placedOptional = this.path.length - 1 - (this.required.length - this.remaining);
    const rank = [this.blockedAt(), -this.remaining, -placedOptional] as const;
    if (this.deadEnd !== undefined && !isGreater(rank, this.deadEnd.rank)) return;
    const placed = this.path.slice(1).map((config) => ({
      operation: config.required >= 0 ? this.required[config.required]! : this.optional[config.optional]!,
      state: this.model.show(config.state),
    }));
    const isPlaced = new Set(placed.map(({ operation }) => operation));
    const isLeft = (operation: Operation) => operation.invokedAt < rank[0] && !isPlaced.has(operation);
    const stuck = this.required.filter(isLeft);
    const unused = this.unknown.filter(isLeft);
    this.deadEnd = { rank, found: { placed, state: this.model.show(state), stuck, unused } };
  }
}

function isGreater(a: readonly number[], b: readonly number[]): boolean {
  const difference = a.findIndex((part, i) => part !== b[i]);
  return difference >= 0 && a[difference]! > b[difference]!;
}

function indexesOfSameBefore(steps: readonly unknown[]): number[] {
  const last = new Map<string, number>();
  return steps.map((step, index) => {
    const text = JSON.stringify(step, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
    const before = last.get(text) ?? -1;
    last.set(text, index);
    return before;
  });
}
