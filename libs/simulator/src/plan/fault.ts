import type { NodeId } from '@app/raft';
import type { SimTime } from '../observer.js';
import type { PowerLossLeaves } from '../world-control.js';

/** Names of everything that a plan can break, as `--faults` takes them. */
export const FAULT_KINDS = [
  'loss',
  'delay',
  'reorder',
  'duplicate',
  'replay',
  'cut',
  'reset',
  'crash',
  'crash_loop',
  'pause',
  'slow',
  'power_loss',
  'wipe',
  'bit_flip',
  'read_error',
  'fsync_error',
  'disk_full',
  'slow_disk',
  'hung_disk',
  'disk_reorder',
  'clock_rate',
  'clock_step',
  'clock_freeze',
  'apply_stall',
  'slow_snapshot',
  'checkpoints',
  'checkpoint',
  'add',
  'promote',
  'remove',
  'replace',
  'transfer',
  'two_at_once',
  'join',
  'move',
  'isolate',
  'garbage',
  'reluctant',
  'quarantine',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Whoever leads in the latest term when the fault begins, or else the first node that is up. */
export const LEADER = '@leader';

/** The voters that are up and do not lead when the fault begins, counted from 1. */
export const nthFollower = (n: number): NodeId => `@follower${n}`;

/** Something that goes wrong, or that an operator does, at a given time. All of it can be written as JSON. */
export interface Fault {
  readonly kind: FaultKind;
  readonly at: SimTime;
  /** 0 for what happens in an instant. */
  readonly duration: SimTime;
  /** A node, `LEADER`, or a `nthFollower`. */
  readonly node?: NodeId;
  /** A second one: who replaces, takes over, or alone is cut off from `node`; of `join`, whose place `node` takes. */
  readonly other?: NodeId;
  /** Directed, from one to the other. Without it, a fault of the network is of all links. */
  readonly links?: readonly (readonly [from: NodeId, to: NodeId])[];
  /**
   * How much, by kind: a chance (loss, duplicate, replay, garbage), units of time (delay, reorder, slow, slow_disk, slow_snapshot), effects until
   * the end (crash), units between ends (crash_loop), a rate (clock_rate), entries (checkpoints).
   */
  readonly amount?: number;
  readonly leaves?: PowerLossLeaves;
}

export function isFaultKind(text: string): text is FaultKind {
  return (FAULT_KINDS as readonly string[]).includes(text);
}
