import { setTimeout as delay } from 'node:timers/promises';
import { firstSuccess } from './first-success.js';
import { type System, isHttp } from './system.js';

/** After a system has come back and taken a write: what it had put off is done. */
const SETTLE_MS = 500;

/**
 * Lets one of several systems run at a time. Those that wait their turn send heartbeats and look at clocks, and would take CPU from the one that
 * is measured, the more the larger they are; so they are stopped by signal, and come back warm. No process may be started again meanwhile.
 */
export class Stage {
  private constructor(
    private readonly pids: ReadonlyMap<System, readonly number[]>,
    private readonly signal: AbortSignal,
  ) {}

  /** Pauses all of them. */
  static async open(systems: readonly System[], signal: AbortSignal): Promise<Stage> {
    const pids = new Map<System, readonly number[]>();
    for (const system of systems)
      pids.set(
        system,
        (await system.processes()).map(({ pid }) => pid),
      );
    const stage = new Stage(pids, signal);
    for (const system of systems) stage.signalAll(system, 'SIGSTOP');
    return stage;
  }

  /** Runs what is to be done while this one runs and serves. */
  async with<T>(system: System, act: () => Promise<T>): Promise<T> {
    this.signalAll(system, 'SIGCONT');
    try {
      if (isHttp(system)) await firstSuccess(system, await system.url(), this.signal);
      await delay(SETTLE_MS, undefined, { signal: this.signal });
      return await act();
    } finally {
      this.signalAll(system, 'SIGSTOP');
    }
  }

  /** Lets all of them go on, so that they can be stopped. */
  close(): void {
    for (const system of this.pids.keys()) this.signalAll(system, 'SIGCONT');
  }

  private signalAll(system: System, signal: NodeJS.Signals): void {
    for (const pid of this.pids.get(system) ?? []) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended; whoever asks it next says so.
      }
    }
  }
}
