import { loadTable, memoryTable, throughputRatio } from './load-table.js';
import type { LoadReport, Turn } from './turns.js';

function turn(perSecond: number, cpuSecondsPer1000 = 0.5, residentMib = 100): Turn {
  return {
    result: {
      requests: perSecond,
      perSecond,
      p50Ms: 1,
      p99Ms: 2,
      p999Ms: 3,
      maxMs: 4,
      slow: 0,
      generatorCpuSeconds: 0.1,
      seconds: 1,
      errors: {},
    },
    costs: { leader: { cpuSecondsPer1000, residentBytes: residentMib * 1024 * 1024 } },
  };
}

const REPORT: LoadReport = {
  load: { work: 'put', connections: 64, valueBytes: 4096, keys: 'zipf' },
  turns: {
    'ringraft-3x3': [turn(300), turn(800, 0.7, 120), turn(600)],
    etcd: [turn(100), turn(200), turn(300)],
  },
  failures: {},
};

describe('the table of loads', () => {
  it('shows medians with their spread, and the ratio of turn to turn', () => {
    const lines = loadTable([REPORT]).split('\n');
    expect(lines[2]).toContain('put, 64 connections, 4 KiB, zipf');
    expect(lines[2]).toContain('600 [300..800]');
    expect(lines[2]).toContain('3.00 [2.00..4.00]');
    expect(lines[2]).toContain('leader 0.500');
    expect(lines[3]).toContain('200 [100..300]');
  });

  it('has no figures and no ratio for a system that made errors', () => {
    const report = { ...REPORT, failures: { etcd: 'turn 2: 5 status errors' } };
    expect(loadTable([report])).toContain('FAILED: turn 2: 5 status errors');
    expect(loadTable([report])).not.toContain('200 [100..300]');
    expect(throughputRatio(report, 'ringraft-3x3', 'etcd')).toBeUndefined();
  });

  it('shows the most memory that a process has had', () => {
    expect(memoryTable([REPORT])).toMatch(/ringraft-3x3 leader \| +120 \|/);
  });
});
