import { describeSpread, loadTable, memoryTable } from './load-table.js';
import { markdownTable } from './markdown-table.js';
import type { Memory } from './many-keys.js';
import type { Measurements } from './measurements.js';
import { targetTable } from './targets.js';

const MIB = 1024 * 1024;

/** Everything that was measured, as Markdown. */
export function describeMeasurements(measurements: Measurements, withTargets: boolean): string {
  const { loads, growth, failover, startUp, manyKeys, slowRequests } = measurements;
  const sections: string[] = [];
  const add = (title: string, body: string): void => void sections.push(`### ${title}\n\n${body}`);
  if (withTargets) add('Targets', targetTable(measurements));
  if (loads.length > 0) {
    add('Load', loadTable(loads));
    add('Memory under load', memoryTable(loads));
  }
  if (growth.length > 0) {
    add('Cost as clusters are added', loadTable(growth));
    add('Memory as clusters are added', memoryTable(growth));
  }
  if (failover.length > 0) {
    const rows = failover.map(({ system, timesMs, p50Ms, p99Ms }) => [
      system,
      String(timesMs.length),
      ...[timesMs[0]!, p50Ms, p99Ms, timesMs.at(-1)!].map((ms) => ms.toFixed(0)),
    ]);
    add('Failover', markdownTable(['system', 'kills', 'least ms', 'p50 ms', 'p99 ms', 'most ms'], rows));
  }
  if (startUp.length > 0) {
    const rows = startUp.map(({ system, ms }) => [system, describeSpread(ms, 0)]);
    add('Start-up', markdownTable(['system', 'ms to the first write'], rows));
  }
  if (slowRequests) {
    const { seconds, requests, slow, p999Ms, maxMs, snapshots, snapshotBytes } = slowRequests;
    const row = [seconds.toFixed(0), String(requests), String(slow), p999Ms.toFixed(1), maxMs.toFixed(1)];
    add(
      'Slow requests',
      markdownTable(
        ['seconds', 'requests', 'above 250 ms', 'p99.9 ms', 'longest ms', 'snapshots', 'their MiB'],
        [[...row, String(snapshots), (snapshotBytes / MIB).toFixed(1)]],
      ),
    );
  }
  if (manyKeys.length > 0) {
    const rows = manyKeys.map((report) => [
      report.system,
      `${report.keys} x ${report.valueBytes} B`,
      report.fillSeconds.toFixed(0),
      describeMemory(report.memory),
      describeMemory(report.memoryAfterRestart),
      report.recoveryMs.toFixed(0),
    ]);
    const head = [
      'system',
      'keys',
      'filled in s',
      'node MiB (its own)',
      'after restart MiB (its own)',
      'recovery of all ms',
    ];
    add('Many keys', markdownTable(head, rows));
  }
  return sections.join('\n\n');
}

function describeMemory({ residentBytes, ownBytes }: Memory): string {
  return `${(residentBytes / MIB).toFixed(0)} (${(ownBytes / MIB).toFixed(0)})`;
}
