import type { SeedReport } from './seed-report.js';

/** What many runs came to, together. */
export class Tally {
  seeds = 0;
  ticks = 0;
  events = 0;
  busyMs = 0;
  undecided = 0;
  readonly operations = { ok: 0, fail: 0, info: 0 };
  readonly faultsInjected = new Map<string, number>();
  /** By seed, lowest first. */
  readonly failures: SeedReport[] = [];

  add(report: SeedReport): void {
    this.seeds += 1;
    this.ticks += report.ticks;
    this.events += report.events;
    this.busyMs += report.elapsedMs;
    if (report.isUndecided) this.undecided += 1;
    for (const outcome of ['ok', 'fail', 'info'] as const) this.operations[outcome] += report.operations[outcome];
    for (const [kind, count] of Object.entries(report.faultsInjected)) {
      this.faultsInjected.set(kind, (this.faultsInjected.get(kind) ?? 0) + count);
    }
    if (!report.failure) return;
    this.failures.push(report);
    this.failures.sort((a, b) => a.seed - b.seed);
  }

  /** Of one core that does nothing else. */
  get ticksPerSecondPerCore(): number {
    return this.busyMs === 0 ? 0 : (this.ticks / this.busyMs) * 1000;
  }

  seedsPerHour(elapsedMs: number): number {
    return elapsedMs === 0 ? 0 : (this.seeds / elapsedMs) * 3_600_000;
  }
}
