import type { SeedFailure, SeedReport } from './seed-report.js';
import type { Tally } from './tally.js';

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

type Row = readonly [name: string, value: string];

/** One run, as the command prints it. */
export function describeRun(report: SeedReport, nodes: number): string {
  return table([
    ['seed', String(report.seed)],
    ['nodes', String(nodes)],
    ['ticks', `${number.format(report.ticks)} (${number.format((report.ticks / report.elapsedMs) * 1000)}/s)`],
    ['events', number.format(report.events)],
    ['operations', operations(report.operations)],
    ['faults', faults(Object.entries(report.faultsInjected))],
    ['trace hash', report.traceHash],
    ...undecided(report.isUndecided ? 1 : 0),
  ]);
}

/** Many runs, as the command prints them. */
export function describeTally(tally: Tally, elapsedMs: number, workers: number): string {
  const seedsPerHour = number.format(tally.seedsPerHour(elapsedMs));
  return table([
    [
      'seeds',
      `${number.format(tally.seeds)} in ${(elapsedMs / 1000).toFixed(1)} s, ${workers} processes: ${seedsPerHour}/h`,
    ],
    ['ticks', `${number.format(tally.ticks)}: ${number.format(tally.ticksPerSecondPerCore)}/s/core`],
    ['events', number.format(tally.events)],
    ['operations', operations(tally.operations)],
    ['faults', faults(tally.faultsInjected)],
    ...undecided(tally.undecided),
    ['failed', number.format(tally.failures.length)],
  ]);
}

/** The message without the name of the check, which some begin with. */
export function reasonOf({ check, message }: SeedFailure): string {
  const prefix = `${check}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}

function operations({ ok, fail, info }: SeedReport['operations']): string {
  return `${number.format(ok)} ok, ${number.format(fail)} refused, ${number.format(info)} with unknown outcome`;
}

function faults(counts: Iterable<readonly [string, number]>): string {
  const sorted = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a.localeCompare(b));
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return 'none';
  return `${number.format(total)} (${sorted.map(([kind, count]) => `${kind} ${number.format(count)}`).join(', ')})`;
}

function undecided(histories: number): Row[] {
  return histories === 0 ? [] : [['undecided', `${number.format(histories)} (too long to prove linearizable or not)`]];
}

function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}
