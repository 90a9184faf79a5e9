import { describeSpread, ratioOf, throughputRatio } from './load-table.js';
import type { Load, Work } from './load.js';
import { markdownTable } from './markdown-table.js';
import type { Measurements } from './measurements.js';
import type { LoadReport, Turn } from './turns.js';

const MIB = 1024 * 1024;

/** What is measured, as a number to compare and as a reader wants it. */
interface Measured {
  readonly value: number;
  readonly text: string;
}

interface Target {
  readonly name: string;
  /** At least this, or with `isCeiling` at most. */
  readonly bound: number;
  readonly isCeiling?: boolean;
  readonly unit: string;
  /** Where we want to be. */
  readonly aim: number | undefined;
  /** Undefined when this run has no figures for it. */
  readonly measure: (measurements: Measurements) => Measured | undefined;
}

const load = (work: Work, connections: number): Load => ({ work, connections, valueBytes: 128, keys: 'uniform' });

/** Every load that a target is about, and who takes part. */
export const TARGET_LOADS: readonly { readonly load: Load; readonly systems: readonly string[] }[] = [
  { load: load('put', 1), systems: ['ringraft-3x3', 'etcd'] },
  { load: load('put', 64), systems: ['ringraft-3x3', 'etcd'] },
  { load: load('put', 256), systems: ['ringraft-3x3', 'ringraft-1x3', 'etcd', 'echo'] },
  { load: load('get', 64), systems: ['ringraft-3x3', 'etcd'] },
  { load: load('get', 256), systems: ['ringraft-3x3', 'etcd', 'echo'] },
];

const TARGETS: readonly Target[] = [
  throughput('put', 64, 'ringraft-3x3', 'etcd', 1.5, 3),
  throughput('put', 256, 'ringraft-3x3', 'etcd', 2.5, 4),
  throughput('put', 256, 'ringraft-1x3', 'etcd', 3, 4),
  throughput('get', 64, 'ringraft-3x3', 'etcd', 3.5, 5),
  throughput('get', 256, 'ringraft-3x3', 'etcd', 3.5, 5),
  throughput('get', 256, 'ringraft-3x3', 'echo', 0.6, undefined),
  throughput('put', 256, 'ringraft-3x3', 'echo', 0.4, undefined),
  {
    name: 'put, 1 connection, p50: ringraft-3x3 / etcd',
    bound: 1.5,
    isCeiling: true,
    unit: 'x',
    aim: 1,
    measure: ({ loads }) => ratio(loads, load('put', 1), 'ringraft-3x3', 'etcd', ({ result }) => result.p50Ms),
  },
  {
    name: "failover p99 / etcd's",
    bound: 1,
    isCeiling: true,
    unit: 'x',
    aim: undefined,
    measure: ({ failover }) => {
      const ours = failover.find(({ system }) => system.startsWith('ringraft'));
      const theirs = failover.find(({ system }) => system === 'etcd');
      if (!ours || !theirs) return undefined;
      const value = ours.p99Ms / theirs.p99Ms;
      return { value, text: `${value.toFixed(2)} (${ours.p99Ms.toFixed(0)} ms / ${theirs.p99Ms.toFixed(0)} ms)` };
    },
  },
  {
    name: 'longest request, 64 connections, mixed, snapshots',
    bound: 250,
    isCeiling: true,
    unit: ' ms',
    aim: undefined,
    measure: ({ slowRequests }) =>
      slowRequests && {
        value: slowRequests.maxMs,
        text: `${slowRequests.maxMs.toFixed(0)} (${slowRequests.requests} requests, ${slowRequests.snapshots} snapshots)`,
      },
  },
  {
    name: 'memory of a node with 1 million 128-byte keys',
    bound: 400,
    isCeiling: true,
    unit: ' MiB',
    aim: undefined,
    measure: ({ manyKeys }) => {
      const ours = manyKeys.find(({ system }) => system.startsWith('ringraft'));
      if (!ours || ours.keys < 1_000_000) return undefined;
      const value = Math.max(ours.memory.residentBytes, ours.memoryAfterRestart.residentBytes) / MIB;
      return { value, text: value.toFixed(0) };
    },
  },
];

/** One line for each target: what was promised, what we aim at, what this run measured and whether that is enough. */
export function targetTable(measurements: Measurements): string {
  return markdownTable(
    ['what', 'target', 'aim', 'measured', 'verdict'],
    judge(measurements).map(({ name, target, aim, measured, verdict }) => [name, target, aim, measured, verdict]),
  );
}

export interface Judgement {
  readonly name: string;
  readonly target: string;
  readonly aim: string;
  readonly measured: string;
  readonly verdict: 'aim reached' | 'reached' | 'MISSED' | 'not measured';
}

export function judge(measurements: Measurements): Judgement[] {
  return TARGETS.map((target) => {
    const { name, bound, isCeiling = false, unit, aim } = target;
    const sign = isCeiling ? '<=' : '>=';
    const measured = target.measure(measurements);
    const holds = (limit: number) => measured && (isCeiling ? measured.value <= limit : measured.value >= limit);
    return {
      name,
      target: `${sign} ${bound}${unit}`,
      aim: aim === undefined ? '' : `${aim}${unit}`,
      measured: measured?.text ?? '',
      verdict: !measured
        ? 'not measured'
        : !holds(bound)
          ? 'MISSED'
          : aim !== undefined && holds(aim)
            ? 'aim reached'
            : 'reached',
    };
  });
}

function throughput(
  work: Work,
  connections: number,
  ours: string,
  theirs: string,
  bound: number,
  aim: number | undefined,
): Target {
  return {
    name: `${work}, ${connections} connections: ${ours} / ${theirs}`,
    bound,
    unit: 'x',
    aim,
    measure: ({ loads }) => {
      const report = find(loads, load(work, connections));
      const spread = report && throughputRatio(report, ours, theirs);
      return spread && { value: spread.median, text: describeSpread(spread, 2) };
    },
  };
}

function ratio(
  reports: readonly LoadReport[],
  wanted: Load,
  ours: string,
  theirs: string,
  of: (turn: Turn) => number,
): Measured | undefined {
  const report = find(reports, wanted);
  const spread = report && ratioOf(report, ours, theirs, of);
  return spread && { value: spread.median, text: describeSpread(spread, 2) };
}

function find(reports: readonly LoadReport[], wanted: Load): LoadReport | undefined {
  return reports.find(({ load: { work, connections, valueBytes, keys } }) => {
    const isLoad = work === wanted.work && connections === wanted.connections;
    return isLoad && valueBytes === wanted.valueBytes && keys === wanted.keys;
  });
}
