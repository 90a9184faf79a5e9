import fc from 'fast-check';
import type { EventType, HistoryEvent, JsonValue } from '../history.js';
import type { SequentialObject } from './sequential-objects.js';

export interface Call {
  readonly f: string;
  readonly argument: JsonValue;
}

/** `lost`: took effect, but nobody was told; `never`: did not, and nobody was told. */
type Fate = 'ok' | 'lost' | 'never' | 'failed';

interface Plan {
  readonly call: Call;
  readonly fate: Fate;
  /** Which of the outcomes that the object allows. */
  readonly choice: number;
  /** Before and after the moment of effect; a moment is 10. */
  readonly invokedBefore: number;
  readonly completedAfter: number;
  /** Of an operation whose process is not told its outcome: whether it is told at least that. */
  readonly isInfo: boolean;
}

interface Size {
  readonly minLength: number;
  readonly maxLength: number;
  /** Out of 100 operations, how many have no known answer. */
  readonly unknownPercent: number;
}

/** Histories that are linearizable: made from operations that take effect one after the other, and then spread out. */
export function linearizableHistory<State>(
  object: SequentialObject<State>,
  call: fc.Arbitrary<Call>,
  { minLength, maxLength, unknownPercent }: Size,
): fc.Arbitrary<HistoryEvent[]> {
  const plan: fc.Arbitrary<Plan> = fc.record({
    call,
    fate: fc.oneof(
      { weight: 190 - 2 * unknownPercent, arbitrary: fc.constant<Fate>('ok') },
      { weight: unknownPercent, arbitrary: fc.constant<Fate>('lost') },
      { weight: unknownPercent, arbitrary: fc.constant<Fate>('never') },
      { weight: 10, arbitrary: fc.constant<Fate>('failed') },
    ),
    choice: fc.nat({ max: 2 }),
    invokedBefore: fc.integer({ min: 0, max: 29 }),
    completedAfter: fc.integer({ min: 0, max: 29 }),
    isInfo: fc.boolean(),
  });
  const plans = fc.array(plan, { minLength, maxLength, size: 'max' });
  // From nearly one after the other to many at once.
  return fc.tuple(plans, fc.constantFrom(6, 15, 30)).map(([list, reach]) => spread(object, list, reach));
}

interface Moment {
  readonly id: number;
  readonly at: number;
  readonly type: EventType;
  readonly f: string;
  readonly value: JsonValue;
}

/** Each operation lasts less than `reach` before and after its moment. */
function spread<State>(object: SequentialObject<State>, plans: readonly Plan[], reach: number): HistoryEvent[] {
  let state = object.initial;
  const events: Moment[] = [];
  plans.forEach(({ call: { f, argument }, fate, choice, invokedBefore, completedAfter, isInfo }, id) => {
    const from = 10 * id - (invokedBefore % reach);
    const after = (completedAfter % reach) + 0.5;
    let answer: JsonValue = null;
    if (fate === 'ok' || fate === 'lost') {
      // Gaps between revisions are small, or there would be too many to try.
      const outcomes = object.outcomes(state, f, argument, 1000);
      const outcome = outcomes[Math.min(choice, outcomes.length - 1)]!;
      answer = outcome.answer;
      state = outcome.state;
    }
    events.push({ id, at: from, type: 'invoke', f, value: argument });
    if (fate === 'ok') events.push({ id, at: 10 * id + after, type: 'ok', f, value: answer });
    else if (fate === 'failed') events.push({ id, at: 10 * id + after, type: 'fail', f, value: null });
    // The process gives up at any time, before the effect as well.
    else if (isInfo) events.push({ id, at: from + after, type: 'info', f, value: null });
  });
  events.sort((a, b) => a.at - b.at);
  const idle: number[] = [];
  const processOf = new Map<number, number>();
  let processes = 0;
  return events.map(({ id, type, f, value }, time) => {
    if (type === 'invoke') processOf.set(id, idle.pop() ?? processes++);
    const process = processOf.get(id)!;
    if (type === 'ok' || type === 'fail') idle.push(process);
    return { process, type, f, key: 'x', value, time };
  });
}

/** One to four small changes, each of which may or may not be one that a linearizable database could have made. */
export function mutated(history: fc.Arbitrary<HistoryEvent[]>): fc.Arbitrary<HistoryEvent[]> {
  const change = fc.record({ kind: fc.nat({ max: 7 }), at: fc.nat(), other: fc.nat() });
  return fc
    .tuple(history, fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([events, changes]) => changes.reduce(mutate, events));
}

function mutate(
  events: HistoryEvent[],
  { kind, at, other }: { readonly kind: number; readonly at: number; readonly other: number },
): HistoryEvent[] {
  const completed = events.filter(({ type }) => type === 'ok');
  const victim = completed[at % completed.length];
  if (victim === undefined) return events;
  const replace = (changes: Partial<HistoryEvent>): HistoryEvent[] =>
    events.map((event) => (event === victim ? { ...event, ...changes } : event));
  if (kind === 0) return replace({ type: 'fail' });
  if (kind === 1) return replace({ type: 'info' });
  if (kind < 4) return completedEarlier(events, victim);
  if (victim.f === 'cas') {
    return replace({ value: victim.value === false ? events[invocationOf(events, victim)]!.value : false });
  }
  const text = JSON.stringify(victim.value);
  const others = events.filter(({ f, type, value }) => {
    if (type === 'invoke') return f === 'write' && victim.f === 'read' && typeof value === 'number';
    return type === 'ok' && f === victim.f && JSON.stringify(value) !== text;
  });
  const twin = others[other % others.length];
  return twin === undefined ? events : replace({ value: twin.value });
}

function invocationOf(events: readonly HistoryEvent[], completion: HistoryEvent): number {
  const end = events.indexOf(completion);
  return events.findLastIndex(({ process, type }, i) => i < end && process === completion.process && type === 'invoke');
}

/** Completed right after its invocation: what was concurrent may come too late then. */
function completedEarlier(events: readonly HistoryEvent[], completion: HistoryEvent): HistoryEvent[] {
  const end = events.indexOf(completion);
  const start = invocationOf(events, completion);
  const moved = [...events.slice(0, start + 1), completion, ...events.slice(start + 1, end), ...events.slice(end + 1)];
  return moved.map((event, time) => ({ ...event, time }));
}
