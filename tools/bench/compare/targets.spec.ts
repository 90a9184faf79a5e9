import { noMeasurements, type Measurements } from './measurements.js';
import { judge, targetTable } from './targets.js';
import type { LoadReport, Turn } from './turns.js';

function turn(perSecond: number, p50Ms: number): Turn {
  const result = { requests: 1, perSecond, p50Ms, p99Ms: 1, p999Ms: 1, maxMs: 1, slow: 0, seconds: 1, errors: {} };
  return { result: { ...result, generatorCpuSeconds: 0 }, costs: {} };
}

function put(connections: number, ours: number, theirs: number): LoadReport {
  return {
    load: { work: 'put', connections, valueBytes: 128, keys: 'uniform' },
    turns: { 'ringraft-3x3': [turn(ours, 1000 / ours)], etcd: [turn(theirs, 1000 / theirs)] },
    failures: {},
  };
}

function verdict(measurements: Measurements, name: string): string | undefined {
  return judge(measurements).find((judgement) => judgement.name.startsWith(name))?.verdict;
}

describe('the targets', () => {
  it('judges nothing that was not measured', () => {
    expect(new Set(judge(noMeasurements()).map((judgement) => judgement.verdict))).toEqual(new Set(['not measured']));
  });

  it.each([
    [149, 'MISSED'],
    [150, 'reached'],
    [300, 'aim reached'],
  ])(
    'a throughput of %i to 100, of which at least 1.5 times was promised and 3 times is aimed at: %s',
    (ours, told) => {
      expect(verdict({ ...noMeasurements(), loads: [put(64, ours, 100)] }, 'put, 64 connections')).toBe(told);
    },
  );

  it('a latency may be at most so many times as long', () => {
    const at = (ours: number) => verdict({ ...noMeasurements(), loads: [put(1, ours, 100)] }, 'put, 1 connection,');
    expect([at(50), at(80), at(100)]).toEqual(['MISSED', 'reached', 'aim reached']);
  });

  it('does not take the figures of a system that made errors', () => {
    const report = { ...put(64, 300, 100), failures: { 'ringraft-3x3': 'turn 1: 1 status errors' } };
    expect(verdict({ ...noMeasurements(), loads: [report] }, 'put, 64 connections')).toBe('not measured');
  });

  it('does not take fewer keys for a million', () => {
    const report = { system: 'ringraft-1x3', keys: 1_000, valueBytes: 128, fillSeconds: 1, recoveryMs: 1 };
    const memory = (residentBytes: number) => ({ residentBytes, ownBytes: 1 });
    const manyKeys = [{ ...report, memory: memory(1), memoryAfterRestart: memory(500 * 1024 * 1024) }];
    expect(verdict({ ...noMeasurements(), manyKeys }, 'memory')).toBe('not measured');
    const million = manyKeys.map((small) => ({ ...small, keys: 1_000_000 }));
    expect(verdict({ ...noMeasurements(), manyKeys: million }, 'memory')).toBe('MISSED');
  });

  it('shows every target in one table', () => {
    expect(targetTable(noMeasurements()).split('\n')).toHaveLength(2 + judge(noMeasurements()).length);
  });
});
