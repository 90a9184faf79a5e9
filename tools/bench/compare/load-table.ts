import { describeLoad } from './load.js';
import { markdownTable } from './markdown-table.js';
import { type Spread, ratios, spreadOf } from './statistics.js';
import type { LoadReport, Turn } from './turns.js';

const MIB = 1024 * 1024;

/** The one that the others are compared with, when it takes part. */
export const BASE = 'etcd';

/** Medians over the turns; in brackets the least and the most. A system with errors has no figures. */
export function loadTable(reports: readonly LoadReport[]): string {
  const head = ['load', 'system', 'per second', `x ${BASE}`, 'p50 ms', 'p99 ms', 'p99.9 ms', 'CPU s per 1000'];
  const rows = reports.flatMap((report) =>
    Object.entries(report.turns).map(([name, turns], i) => {
      const load = i === 0 ? describeLoad(report.load) : '';
      const failure = report.failures[name];
      if (failure !== undefined) return [load, name, `FAILED: ${failure}`, '', '', '', '', ''];
      return [load, name, ...figuresOf(report, name, turns)];
    }),
  );
  return markdownTable(head, rows);
}

/** The most that a process of each kind has had in memory in any of these. */
export function memoryTable(reports: readonly LoadReport[]): string {
  const most = new Map<string, number>();
  for (const { turns } of reports) {
    for (const [name, taken] of Object.entries(turns)) {
      for (const { costs } of taken) {
        for (const [kind, { residentBytes }] of Object.entries(costs)) {
          const id = `${name} ${kind}`;
          most.set(id, Math.max(most.get(id) ?? 0, residentBytes));
        }
      }
    }
  }
  const rows = [...most].sort().map(([id, bytes]) => [id, (bytes / MIB).toFixed(0)]);
  return markdownTable(['process', 'resident MiB, most'], rows);
}

/** How many times as many requests a second as the other system; undefined when one of them has no figures. */
export function throughputRatio(report: LoadReport, ours: string, theirs: string): Spread | undefined {
  return ratioOf(report, ours, theirs, ({ result }) => result.perSecond);
}

export function ratioOf(
  { turns, failures }: LoadReport,
  ours: string,
  theirs: string,
  of: (turn: Turn) => number,
): Spread | undefined {
  const [a, b] = [turns[ours], turns[theirs]];
  if (!a?.length || !b?.length || failures[ours] !== undefined || failures[theirs] !== undefined) return undefined;
  return ratios(a.map(of), b.map(of));
}

export function describeSpread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${min.toFixed(digits)}..${max.toFixed(digits)}]`;
}

function figuresOf(report: LoadReport, name: string, turns: readonly Turn[]): string[] {
  const results = turns.map(({ result }) => result);
  const median = (values: readonly (number | undefined)[]): string => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? '' : spreadOf(known).median.toFixed(2);
  };
  const ratio = throughputRatio(report, name, BASE);
  const kinds = Object.keys(turns[0]?.costs ?? {});
  const cpu = kinds.map((kind) => {
    const { median } = spreadOf(turns.map(({ costs }) => costs[kind]?.cpuSecondsPer1000 ?? 0));
    return `${kind} ${median.toFixed(3)}`;
  });
  return [
    describeSpread(spreadOf(results.map(({ perSecond }) => perSecond)), 0),
    ratio && name !== BASE ? describeSpread(ratio, 2) : '',
    median(results.map(({ p50Ms }) => p50Ms)),
    median(results.map(({ p99Ms }) => p99Ms)),
    median(results.map(({ p999Ms }) => p999Ms)),
    cpu.join(', '),
  ];
}
