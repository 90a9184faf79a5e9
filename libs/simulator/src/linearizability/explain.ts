import type { Operation } from './history.js';
import type { DeadEnd } from './order-search.js';

/** Of a long list only the last operations matter mostly. */
const SHOWN_MAX = 12;

/** Why the operations of a key have no order, for people. */
export function explain(key: string, model: string, { placed, state, stuck, unused }: DeadEnd): string {
  const shown = placed.slice(-SHOWN_MAX);
  return [
    `key ${JSON.stringify(key)} is not linearizable as a ${model}`,
    `the longest order found has ${placed.length} operations${latest(placed)}:`,
    ...shown.map(({ operation, state: after }) => `  ${show(operation)}   then ${after}`),
    `the state is ${state}; none of these can come next:`,
    ...stuck.map((operation) => `  ${show(operation)}`),
    ...(unused.length > 0 ? [`of unknown outcome, and no help${latest(unused)}:`] : []),
    ...unused.slice(-SHOWN_MAX).map((operation) => `  ${show(operation)}`),
  ].join('\n');
}

function latest({ length }: readonly unknown[]): string {
  return length > SHOWN_MAX ? ` (the last ${SHOWN_MAX} of ${length})` : '';
}

function show({ process, f, argument, answer, invokeTime, completeTime }: Operation): string {
  const argumentText = argument === null ? '' : JSON.stringify(argument);
  const answerText = answer === undefined ? 'unknown' : JSON.stringify(answer);
  return `[${invokeTime}, ${completeTime ?? '...'}] process ${process}: ${f}(${argumentText}) -> ${answerText}`;
}
