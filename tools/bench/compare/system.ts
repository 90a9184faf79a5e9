import type { Dialect } from './requests.js';

export interface SystemProcess {
  readonly pid: number;
  /** What it is in its system: `gateway`, `leader`, `follower`, ... */
  readonly kind: string;
}

/** Something that is compared: one or more processes on this machine, started for this and by this. */
export interface System {
  readonly name: string;
  /** What runs how, for a reader of the figures. */
  readonly description: string;
  /** Starts it on free ports with an empty data directory and waits until it serves. */
  start(): Promise<void>;
  /** Never throws. */
  stop(): Promise<void>;
  /** By what they are now. */
  processes(): Promise<readonly SystemProcess[]>;
}

/** One that speaks HTTP. */
export interface HttpSystem extends System {
  readonly dialect: Dialect;
  /** `http://host:port` to which requests go. */
  url(): Promise<string>;
}

/** One whose leader can be killed. */
export interface FailoverSystem extends HttpSystem {
  /** `kill -9` of the process that leads: when, on the clock of `performance.now()`, and where requests go after it. */
  killLeader(): Promise<{ readonly killedAtMs: number; readonly url: string }>;
  /** Starts again what was killed and waits until it follows. */
  repair(): Promise<void>;
}

export function isHttp(system: System): system is HttpSystem {
  return 'dialect' in system;
}
