import type { NodeId, RaftConfig } from '@app/raft';
import type { Fault } from './fault.js';

/** What runs disturb most: each pitfall has a focus that makes it likely. */
export const FOCUSES = [
  'everything',
  'elections',
  'reads',
  'membership',
  'snapshots',
  'disk',
  'sessions',
  'clocks',
  'quiet',
] as const;
export type Focus = (typeof FOCUSES)[number];

export type NodeConfig = Omit<RaftConfig, 'id' | 'incarnation'>;

export interface ClusterPlan {
  /** The voters that the cluster begins with. */
  readonly voters: readonly NodeId[];
  /** Names for nodes that may join. */
  readonly spares: readonly NodeId[];
  readonly config: NodeConfig;
  /** Where single nodes differ. */
  readonly overrides: Readonly<Record<NodeId, Partial<NodeConfig>>>;
  /** Applied entries between two checkpoints. */
  readonly checkpointEntries: number;
}

/** Shares are in percent. */
export interface WorkloadPlan {
  readonly clients: number;
  /** Of one client. */
  readonly operationsMax: number;
  readonly thinkTimeMax: number;
  /** How long one node is waited for, and how long an operation is tried. */
  readonly attemptTimeout: number;
  readonly giveUpTimeout: number;
  readonly sharedKeys: number;
  readonly readShare: number;
  readonly leaseShare: number;
  readonly staleShare: number;
  /** Reads and writes that go to any node, not to the believed leader. */
  readonly anywhereShare: number;
  readonly sessionShare: number;
  /** Finished session writes that are sent once more, to another node. */
  readonly repeatShare: number;
}

/** Everything that a run does beside what chance decides while it runs. Can be written as JSON and read back. */
export interface RunPlan {
  readonly focus: Focus;
  /** With faults, in ticks of a right clock; the healing comes after. */
  readonly ticks: number;
  readonly cluster: ClusterPlan;
  readonly workload: WorkloadPlan;
  readonly faults: readonly Fault[];
}

export function nodeConfigOf({ config, overrides }: ClusterPlan, id: NodeId): NodeConfig {
  return { ...config, ...overrides[id] };
}

/**
 * Whether the clocks of this run keep the bound that lease reads need: no node's ticks are faster than another's by
 * `(electionTimeoutTicks - 1) / leaseTicks`, and every node has check-quorum.
 */
export function areLeasesSound({ cluster, faults }: RunPlan): boolean {
  let [fastest, slowest] = [1, 1];
  for (const { kind, amount } of faults) {
    // A step is a very fast clock for a short while.
    if (kind === 'clock_step' || kind === 'clock_freeze') return false;
    if (kind !== 'clock_rate' || amount === undefined) continue;
    fastest = Math.max(fastest, amount);
    slowest = Math.min(slowest, amount);
  }
  return [...cluster.voters, ...cluster.spares].every((id) => {
    const { checkQuorum, leaseTicks, electionTimeoutTicks } = nodeConfigOf(cluster, id);
    return leaseTicks === 0 || (checkQuorum && fastest / slowest < (electionTimeoutTicks - 1) / leaseTicks);
  });
}
