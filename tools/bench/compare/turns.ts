import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fillKeys } from './fill.js';
import { type Load, describeLoad } from './load.js';
import { type ProcessCost, costOf } from './process-cost.js';
import { canRun, runRedisBenchmark } from './redis-benchmark.js';
import { RedisSystem } from './redis-system.js';
import { writeRequestFile } from './request-file.js';
import type { Stage } from './stage.js';
import { type System, type SystemProcess, isHttp } from './system.js';
import { type LoadResult, runWrk } from './wrk.js';

/** Before what is new only in its size: a system that has done this kind of work is compiled for it. */
const WARM_UP_SECONDS = 2;
/** What takes longer is counted. */
const SLOW_MS = 250;
/** So far apart in the draws two turns begin. */
const OFFSET = 7_919;

export interface KindCost {
  /** CPU time of all processes of this kind. */
  readonly cpuSecondsPer1000: number;
  /** Of the largest. */
  readonly residentBytes: number;
}

export interface Turn {
  readonly result: LoadResult;
  readonly costs: Readonly<Record<string, KindCost>>;
}

export interface LoadReport {
  readonly load: Load;
  /** By the name of the system, in the order in which they were asked; `undefined` for what the generator cannot do. */
  readonly turns: Readonly<Record<string, readonly Turn[]>>;
  /** By the name of the system: why its figures do not count. */
  readonly failures: Readonly<Record<string, string>>;
}

export interface TurnOptions {
  readonly turns: number;
  readonly seconds: number;
  /**
   * What each system is asked before the clock runs, the first time that it does a kind of work. Long enough for the compilers of ten processes
   * that share two cores, each of which gets a tenth of the work.
   */
  readonly warmUpSeconds: number;
  /** For the prepared requests. */
  readonly directory: string;
  /** On which the systems take their turns; without one they just run. */
  readonly stage?: Stage;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/**
 * Asks several systems the same in turns (A B A B ...), so that what slows the machine down for a while meets all of them. Each turn is a
 * generator process with connections of its own.
 */
export class TurnTaker {
  /** Systems and sizes of values for which every key is there. */
  private readonly filled = new Set<string>();
  /** Systems and kinds of work that they have done. */
  private readonly warm = new Set<string>();

  constructor(private readonly options: TurnOptions) {}

  async run(load: Load, systems: readonly System[]): Promise<LoadReport> {
    const { turns, seconds, say, signal } = this.options;
    const able = systems.filter((system) => !(system instanceof RedisSystem) || canRun(load));
    const taken: Record<string, Turn[]> = {};
    const failures: Record<string, string> = {};
    for (const system of able) {
      taken[system.name] = [];
      await this.onStage(system, async () => {
        await this.prepare(system, load);
        await this.warmUp(system, load);
      });
    }
    for (let turn = 0; turn < turns; turn++) {
      for (const system of able) {
        signal.throwIfAborted();
        const { result, costs } = await this.onStage(system, () =>
          this.turn(system, load, seconds, (turn + 1) * OFFSET),
        );
        taken[system.name]!.push({ result, costs });
        const errors = Object.entries(result.errors).map(([kind, count]) => `${count} ${kind}`);
        if (errors.length > 0) failures[system.name] = `turn ${turn + 1}: ${errors.join(', ')} errors`;
        say(
          `${describeLoad(load)}: turn ${turn + 1}, ${system.name}: ${Math.round(result.perSecond)}/s, ` +
            `p50 ${result.p50Ms.toFixed(2)} ms, p99 ${result.p99Ms.toFixed(1)} ms${errors.length > 0 ? `, ERRORS: ${errors.join(', ')}` : ''}`,
        );
      }
    }
    for (const system of able) rmSync(this.requestFile(system), { force: true });
    return { load, turns: taken, failures };
  }

  private async warmUp(system: System, load: Load): Promise<void> {
    const kind = `${system.name} ${load.work}`;
    await this.generate(system, load, this.warm.has(kind) ? WARM_UP_SECONDS : this.options.warmUpSeconds, 0);
    this.warm.add(kind);
  }

  private onStage<T>(system: System, act: () => Promise<T>): Promise<T> {
    const { stage } = this.options;
    return stage ? stage.with(system, act) : act();
  }

  private async turn(system: System, load: Load, seconds: number, offset: number): Promise<Turn> {
    const before = costsOf(await system.processes());
    const result = await this.generate(system, load, seconds, offset);
    const after = costsOf(await system.processes());
    return { result, costs: costBetween(before, after, result.requests) };
  }

  private async prepare(system: System, load: Load): Promise<void> {
    if (!isHttp(system)) return;
    writeRequestFile(this.requestFile(system), load, system.dialect, new URL(await system.url()).host);
    const filling = `${system.name} ${load.valueBytes}`;
    if (load.work === 'put' || this.filled.has(filling)) return;
    await fillKeys(system, load.valueBytes, this.options.signal);
    this.filled.add(filling);
  }

  private async generate(system: System, load: Load, seconds: number, offset: number): Promise<LoadResult> {
    const { signal } = this.options;
    if (system instanceof RedisSystem) return runRedisBenchmark(system.port, load, seconds, signal);
    if (!isHttp(system)) throw new Error(`nothing can load ${system.name}`);
    return runWrk({
      url: await system.url(),
      connections: load.connections,
      seconds,
      requestFile: this.requestFile(system),
      offset,
      slowMs: SLOW_MS,
      signal,
    });
  }

  private requestFile(system: System): string {
    return join(this.options.directory, `${system.name}.requests`);
  }
}

interface Sample extends SystemProcess {
  readonly cost: ProcessCost;
}

function costsOf(processes: readonly SystemProcess[]): readonly Sample[] {
  return processes.map((process) => ({ ...process, cost: costOf(process.pid) }));
}

/** By what each process was in the end. */
function costBetween(before: readonly Sample[], after: readonly Sample[], requests: number): Record<string, KindCost> {
  const costs: Record<string, KindCost> = {};
  for (const { pid, kind, cost } of after) {
    const earlier = before.find((sample) => sample.pid === pid)?.cost.cpuSeconds ?? 0;
    const sum = costs[kind] ?? { cpuSecondsPer1000: 0, residentBytes: 0 };
    costs[kind] = {
      cpuSecondsPer1000: sum.cpuSecondsPer1000 + ((cost.cpuSeconds - earlier) * 1000) / Math.max(1, requests),
      residentBytes: Math.max(sum.residentBytes, cost.residentBytes),
    };
  }
  return costs;
}
