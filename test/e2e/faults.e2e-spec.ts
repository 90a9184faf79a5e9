import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromJsonLines } from '@app/simulator';
import { runCell, type CellReport } from '../../tools/faults/cell.js';
import { FaultSystem } from '../../tools/faults/fault-system.js';
import { HttpCaller } from '../../tools/faults/http-caller.js';
import { NEMESES, crashCycles } from '../../tools/faults/nemeses/nemesis-catalogue.js';
import { describeInjected } from '../../tools/faults/summary.js';
import { everyWorkload, exactlyOnce } from '../../tools/faults/workloads/workload-catalogue.js';

const SECONDS = 12;
const CRASH_CYCLES = 4;
const CLIENTS = 20;

function tell({ workload, nemesis, counts, injected, longestGapMs }: CellReport): void {
  process.stdout.write(
    `${nemesis} x ${workload}: ${counts.ok} ok, ${counts.unknown} unknown, ${counts.failed} failed; ${describeInjected(injected)}; ` +
      `longest gap ${Math.round(longestGapMs)} ms\n`,
  );
}

describe('a system of three clusters and two gateways whose links, processes and disks break', () => {
  const seed = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 31));
  const { env, needsFaultyDisks } = NEMESES.mixed;
  const out = mkdtempSync(join(tmpdir(), 'ringraft-faults-histories-'));
  const options = { clients: CLIENTS, seconds: SECONDS, seed };
  let system: FaultSystem;
  let gateways: HttpCaller[];

  beforeAll(async () => {
    process.stdout.write(`faults: seed ${seed}\n`);
    system = await FaultSystem.start({
      distDir: join(process.cwd(), 'dist'),
      seed,
      env,
      hasFaultyDisks: needsFaultyDisks,
    });
    gateways = system.cluster.gateways.map(({ url }) => new HttpCaller(url));
  }, 180_000);

  afterAll(async () => {
    for (const gateway of gateways ?? []) gateway.close();
    await system?.dispose();
    rmSync(out, { recursive: true, force: true });
  }, 60_000);

  it('is linearizable, keeps every acknowledged write on every replica, and recovers, under all faults and workloads', async () => {
    const historyPath = join(out, 'mixed.jsonl');
    const workload = { name: 'every', create: everyWorkload };
    const nemesis = { name: 'mixed', ...NEMESES.mixed };
    const report = await runCell(system, gateways, { ...options, workload, nemesis, historyPath });
    tell(report);
    expect(report.faults).toEqual([]);
    expect([...report.injected.values()].reduce((sum, times) => sum + times, 0)).toBeGreaterThan(0);
    expect(report.counts.ok).toBeGreaterThan(100);
    const { ok, unknown, failed } = report.counts;
    const events = fromJsonLines(readFileSync(historyPath, 'utf8').split('\n'));
    expect(events.filter(({ type }) => type !== 'invoke')).toHaveLength(ok + unknown + failed);
  }, 400_000);

  it('loses and doubles no write while nodes crash and restart one after the other', async () => {
    const historyPath = join(out, 'crash-cycles.jsonl');
    const workload = { name: 'exactly-once', create: exactlyOnce };
    const nemesis = { name: 'crash-cycles', ...crashCycles(CRASH_CYCLES) };
    const report = await runCell(system, gateways, { ...options, seconds: 300, workload, nemesis, historyPath });
    tell(report);
    expect(report.faults).toEqual([]);
    expect(report.injected.get('kill')).toBeGreaterThanOrEqual(CRASH_CYCLES);
    expect(report.counts.ok).toBeGreaterThan(100);
  }, 400_000);
});
