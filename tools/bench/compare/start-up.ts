import { firstSuccess } from './first-success.js';
import { type Spread, spreadOf } from './statistics.js';
import type { HttpSystem } from './system.js';

export interface StartUpReport {
  readonly system: string;
  /** From the start of the first process to the answer of the first write. */
  readonly ms: Spread;
}

/** Starts each in turns, on empty directories. `build` makes a new one each time. */
export async function measureStartUp(
  builds: readonly (() => HttpSystem)[],
  turns: number,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<StartUpReport[]> {
  const times = new Map<string, number[]>();
  for (let turn = 0; turn < turns; turn++) {
    for (const build of builds) {
      signal.throwIfAborted();
      const system = build();
      const startedAtMs = performance.now();
      try {
        await system.start();
        const ms = (await firstSuccess(system, await system.url(), signal)) - startedAtMs;
        times.set(system.name, [...(times.get(system.name) ?? []), ms]);
        say(`start-up: turn ${turn + 1}, ${system.name}: ${ms.toFixed(0)} ms`);
      } finally {
        await system.stop();
      }
    }
  }
  return [...times].map(([system, values]) => ({ system, ms: spreadOf(values) }));
}
