import type { Colors } from '../context.js';
import { tableOf, type Column } from '../output/table.js';

export interface CheckView {
  readonly name: string;
  readonly ok: boolean;
  readonly reason: string | null;
}

/** What somebody answers who is asked whether he is well, in the words of `-o json`. */
export interface EndpointView {
  readonly endpoint: string;
  readonly healthy: boolean;
  readonly took_ms: number;
  /** Empty when it did not answer. */
  readonly checks: readonly CheckView[];
  /** Why it did not answer; null when it did. */
  readonly failure: string | null;
}

const COLUMNS: readonly Column[] = [
  { head: 'ENDPOINT' },
  { head: 'HEALTHY' },
  { head: 'TOOK', align: 'right' },
  { head: 'WHY' },
];

/** The lines of `/readyz?verbose`: `[+]leaders ok`, `[-]leaders failed: no known leader of cluster c1`. */
export function parseChecks(text: string): CheckView[] {
  return text.split('\n').flatMap((line) => {
    const found = /^\[([+-])\](\S+) (?:ok|failed: (.*))$/.exec(line);
    return found ? [{ name: found[2]!, ok: found[1] === '+', reason: found[3] ?? null }] : [];
  });
}

export function endpointText(endpoints: readonly EndpointView[], colors: Colors): string {
  const rows = endpoints.map((view) => [
    view.endpoint,
    view.healthy ? colors.green('yes') : colors.red('no'),
    `${view.took_ms} ms`,
    whyText(view),
  ]);
  return tableOf(COLUMNS, rows);
}

function whyText({ failure, checks }: EndpointView): string {
  if (failure !== null) return failure;
  const failed = checks.filter(({ ok }) => !ok);
  return failed.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
}
