import type { Candidacy, NodeId, Random } from '@app/raft';
import type { NodeDoor, ObservedNode, SimTime } from './observer.js';

/** How one direction of a link treats what is sent over it. Chances are in [0, 1]. */
export interface LinkBehaviour {
  readonly isCut: boolean;
  readonly delayMin: SimTime;
  /** Delays are drawn up to here: more than the time between two messages means reordering. */
  readonly delayMax: SimTime;
  readonly loss: number;
  readonly duplicate: number;
  /** Chance that a message is delivered once more much later, up to `UNITS_PER_TICK * 100` units. */
  readonly replay: number;
  /** Chance that something that no correct node sends arrives as well; it must be refused. */
  readonly garbage: number;
}

/** How a disk works for some time. */
export interface DiskCondition {
  readonly delayMin: SimTime;
  readonly delayMax: SimTime;
  /** Completions of operations that overlap may come in any order. */
  readonly isReordering: boolean;
  /** Nothing completes until this ends. */
  readonly isHung: boolean;
  /** Writes that grow a file fail with ENOSPC. */
  readonly isFull: boolean;
}

export interface DiskBehaviour extends DiskCondition {
  /** The next sync fails; the process must then stop for good. */
  readonly failNextSync: boolean;
  /** The next read fails. */
  readonly failNextRead: boolean;
}

export interface ProcessBehaviour {
  /** Ticks of this node in the time of one tick of a right clock: 0.5 is a slow clock, 0 a frozen one. */
  readonly clockRate: number;
  /** The process does nothing; messages and completions wait. When it resumes it first takes the ticks that are due. */
  readonly isPaused: boolean;
  /** Each input is handled this much later. */
  readonly lag: SimTime;
  /** Committed entries are not applied. */
  readonly isApplyStalled: boolean;
  /** Units that taking or installing a snapshot takes. */
  readonly snapshotDelay: SimTime;
  /** Applied entries between two checkpoints of the state machine (after each of which the log may be compacted). */
  readonly checkpointEntries: number;
  /** How much it wants to lead. */
  readonly candidacy: Candidacy;
}

export const goodLink: LinkBehaviour = {
  isCut: false,
  delayMin: 1,
  delayMax: 4,
  loss: 0,
  duplicate: 0,
  replay: 0,
  garbage: 0,
};

export const calmDisk: DiskCondition = {
  delayMin: 1,
  delayMax: 3,
  isReordering: false,
  isHung: false,
  isFull: false,
};
export const goodDisk: DiskBehaviour = { ...calmDisk, failNextSync: false, failNextRead: false };

export const goodProcess: ProcessBehaviour = {
  clockRate: 1,
  isPaused: false,
  lag: 0,
  isApplyStalled: false,
  snapshotDelay: 0,
  checkpointEntries: 50,
  candidacy: 'ready',
};

/** What a power loss leaves of what was not synced. */
export type PowerLossLeaves = 'nothing' | 'all' | 'random';

/** Everything that a fault plan can do to a world. All of it may be called for any node in any state; what makes no sense does nothing. */
export interface WorldControl {
  readonly now: SimTime;
  readonly ids: readonly NodeId[];
  node(id: NodeId): ObservedNode & NodeDoor;

  /** Runs `action` at `time` (not before now), in the order of the calls among equal times. */
  at(time: SimTime, action: () => void): void;
  /** A stream of chance of its own for each name, so that one does not disturb the other. */
  random(name: string): Random;
  /** One line of the trace; its arguments go into the trace hash. `text` is called only when someone reads the trace. */
  trace(kind: string, node: NodeId, numbers: readonly number[], text?: () => string): void;

  setLink(from: NodeId, to: NodeId, behaviour: Partial<LinkBehaviour>): void;
  /** What is on its way in this direction is lost, as when a stream breaks; both ends notice. */
  resetLink(from: NodeId, to: NodeId): void;
  setDisk(id: NodeId, behaviour: Partial<DiskBehaviour>): void;
  setProcess(id: NodeId, behaviour: Partial<ProcessBehaviour>): void;

  /** The process ends at once, wherever it is, after `effects` more effects of its driver (a message sent, a write begun, entries applied ...). */
  crash(id: NodeId, options: { readonly effects: number; readonly powerLoss?: PowerLossLeaves }): void;
  /** Of a process that is up, it calls off a crash that was planned and has not come. */
  restart(id: NodeId): void;
  /** While it is down: empties the data directory. */
  wipe(id: NodeId): void;
  /** While it is down: flips a bit of a synced record that is followed by others, so that the next start must refuse. False if there is none. */
  flipBit(id: NodeId): boolean;
  /** A new process with an empty disk and an empty configuration, that waits to be added to the cluster. */
  join(id: NodeId): void;
  /** A checkpoint now, whatever `checkpointEntries` says. */
  checkpoint(id: NodeId): void;
}
