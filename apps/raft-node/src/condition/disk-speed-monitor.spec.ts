import { createLog } from '@app/platform';
import { RaftNodeConfig } from '../raft-node.config.js';
import { DiskPulse } from './disk-pulse.js';
import { DiskSpeedMonitor } from './disk-speed-monitor.js';
import { NodeCondition } from './node-condition.js';

const SLOW_MS = 500;
const CALM_MS = 2_000;

/** A monitor, and a clock that only the test moves. */
class Watched {
  nowMs = 1_000_000;
  readonly condition = new NodeCondition();
  readonly pulse = new DiskPulse(() => this.nowMs);
  readonly store: { writingSinceMs: number | undefined } = { writingSinceMs: undefined };
  private readonly monitor: DiskSpeedMonitor;

  constructor() {
    const config = new RaftNodeConfig();
    config.dataDir = '/data/n1';
    config.slowDiskMs = SLOW_MS;
    const log = createLog({ level: 'silent', fields: {} });
    this.monitor = new DiskSpeedMonitor(config, this.condition, this.pulse, this.store, log);
  }

  /** What the monitor says after this much time, in which it looked now and then. */
  after(ms: number): string | undefined {
    const until = this.nowMs + ms;
    while (this.nowMs < until) {
      this.nowMs = Math.min(until, this.nowMs + 50);
      this.monitor.look(this.nowMs);
    }
    return this.condition.detailOf('disk_slow');
  }

  writes(count: number, durationMs: number): void {
    for (let i = 0; i < count; i++) {
      this.pulse.writeStarted();
      this.nowMs += durationMs;
      this.pulse.writeEnded();
    }
  }
}

describe('DiskSpeedMonitor', () => {
  let watched: Watched;

  beforeEach(() => {
    watched = new Watched();
  });

  it('says nothing of a disk that is fast, or has nothing to do', () => {
    expect(watched.after(60_000)).toBeUndefined();
    watched.writes(100, 20);
    expect(watched.after(60_000)).toBeUndefined();
  });

  it('notices a write that hangs, while it hangs', () => {
    watched.pulse.writeStarted();
    expect(watched.after(SLOW_MS)).toBeUndefined();
    expect(watched.after(50)).toBe('a write of the log in /data/n1 has been under way for 550 ms');
    expect(watched.after(60_000)).toContain('has been under way for');
  });

  it('is over when writes have been fast for two seconds', () => {
    watched.pulse.writeStarted();
    watched.after(SLOW_MS + 50);
    watched.pulse.writeEnded();
    watched.writes(16, 10);
    expect(watched.after(CALM_MS)).toBeDefined();
    expect(watched.after(50)).toBeUndefined();
  });

  it('lasts while writes are only somewhat slower than what counts as slow', () => {
    watched.writes(16, SLOW_MS + 1);
    watched.after(50);
    for (let i = 0; i < 10; i++) {
      watched.writes(1, SLOW_MS / 2 + 1);
      expect(watched.after(500)).toBeDefined();
    }
    watched.writes(16, SLOW_MS / 2);
    expect(watched.after(CALM_MS + 50)).toBeUndefined();
  });

  it('begins the wait for calm anew with each slow write', () => {
    watched.pulse.writeStarted();
    watched.after(SLOW_MS + 50);
    watched.pulse.writeEnded();
    watched.writes(16, 10);
    watched.after(CALM_MS - 500);
    watched.pulse.writeStarted();
    watched.after(SLOW_MS);
    watched.pulse.writeEnded();
    expect(watched.after(CALM_MS - 100)).toBeDefined();
    expect(watched.after(200)).toBeUndefined();
  });

  it('notices a disk that is slow again and again by the median, not by one slow write among fast ones', () => {
    watched.writes(8, 10);
    watched.writes(7, SLOW_MS + 1);
    expect(watched.after(50)).toBeUndefined();
    watched.writes(3, SLOW_MS + 1);
    expect(watched.after(50)).toContain('took more than 501 ms');
  });

  it('forgets how slow writes were when there are no more of them', () => {
    watched.writes(16, SLOW_MS + 1);
    expect(watched.after(50)).toBeDefined();
    expect(watched.after(30_000 + CALM_MS + 50)).toBeUndefined();
  });

  it('does not take a write that waits for space for a slow one', () => {
    watched.pulse.writeStarted();
    watched.pulse.writeAbandoned();
    watched.pulse.reportFull('log', true);
    expect(watched.after(60_000)).toBeUndefined();
    // Tried again, and full again: that is not said a second time.
    watched.pulse.writeStarted();
    watched.pulse.writeAbandoned();
    expect(watched.after(60_000)).toBeUndefined();
  });

  it('gives the state database twenty times as long', () => {
    watched.store.writingSinceMs = watched.nowMs;
    expect(watched.after(20 * SLOW_MS)).toBeUndefined();
    expect(watched.after(50)).toBe('a write of the state database in /data/n1 has been under way for 10050 ms');
    watched.store.writingSinceMs = undefined;
    expect(watched.after(CALM_MS + 50)).toBeUndefined();
  });
});
