import Table from 'cli-table3';
import { quantile } from './availability.js';
import type { CellReport } from './cell.js';

/** A row for each cell: workload, nemesis, what was done, what was injected, how long nothing succeeded, and the verdict. */
export function summaryTable(reports: readonly CellReport[]): string {
  const table = new Table({
    head: ['nemesis', 'workload', 'ok', 'unknown', 'failed', 'ops/s', 'injected', 'longest gap', 'recovery', 'verdict'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'left', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const report of reports) {
    const { nemesis, workload, counts, longestGapMs, recoveryMs } = report;
    table.push([
      nemesis,
      workload,
      counts.ok,
      counts.unknown,
      counts.failed,
      Math.round(report.operationsPerSecond),
      describeInjected(report.injected),
      seconds(longestGapMs),
      seconds(recoveryMs),
      verdictOf(report),
    ]);
  }
  return table.toString();
}

/** What all cells have shown together. */
export function summaryLines(reports: readonly CellReport[]): string[] {
  const sum = (of: (report: CellReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  const ok = sum(({ counts }) => counts.ok);
  const [unknown, failed] = [sum(({ counts }) => counts.unknown), sum(({ counts }) => counts.failed)];
  const bad = reports.filter(({ faults }) => faults.length > 0).length;
  const lines = [
    `${reports.length} cells, ${ok + unknown + failed} operations: ${ok} ok, ${unknown} unknown, ${failed} failed; ` +
      (bad === 0 ? 'no violation' : `VIOLATIONS in ${bad} cells`),
  ];
  const failovers = reports.flatMap(({ failoversMs }) => failoversMs);
  if (failovers.length > 0) {
    const at = (share: number): string => seconds(quantile(failovers, share));
    lines.push(
      `${failovers.length} leaders killed, time to the next success in their cluster: ` +
        `median ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, longest ${at(1)}`,
    );
  }
  return lines;
}

export function verdictOf({ faults }: CellReport): string {
  return faults.length === 0 ? 'good' : `VIOLATION (${faults.length})`;
}

export function describeInjected(injected: ReadonlyMap<string, number>): string {
  return [...injected].map(([kind, times]) => `${times} ${kind}`).join(', ') || 'nothing';
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
