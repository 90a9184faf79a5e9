import type { LogIndex, NodeId } from './entry.js';

/**
 * Who takes part, in the shape that joint consensus needs (section 6). Outside of a change
 * `outgoingVoters` is empty; during one, every decision needs a majority of both voter lists.
 */
export interface Configuration {
  readonly voters: readonly NodeId[];
  /** The voters of the configuration that is being left. */
  readonly outgoingVoters: readonly NodeId[];
  /** Receive the log, count nowhere. */
  readonly learners: readonly NodeId[];
  /**
   * The data directory that a member is known by, once the cluster has learned it. Whoever comes under the same name with
   * another one has lost what the member had promised, and is refused.
   */
  readonly incarnations?: Readonly<Record<NodeId, string>>;
  /** Where members are reached, as far as it is known. Of no meaning to the core, which only keeps it in the log. */
  readonly addresses?: Readonly<Record<NodeId, string>>;
  /**
   * Learners that become voters by themselves once they have caught up, each with the member whose place it takes: that one leaves in the
   * same change. A learner that takes nobody's place stands with its own name.
   */
  readonly joining?: Readonly<Record<NodeId, NodeId>>;
}

/** What a configuration says of single members, beside who they are. */
export type MemberRecords = Pick<Configuration, 'incarnations' | 'addresses' | 'joining'>;

/** A configuration, and the entry that set it: in force from that entry on, committed or not (section 6). */
export interface ConfigurationAt {
  /** 0 for the one that the cluster was started with. */
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/** Of a node that joins a running cluster: it waits until a leader sends it a log. */
export const emptyConfiguration: Configuration = { voters: [], outgoingVoters: [], learners: [] };

export function simpleConfiguration(voters: readonly NodeId[]): Configuration {
  return { voters, outgoingVoters: [], learners: [] };
}

/** Every node that receives the log, once each, in a fixed order. */
export function membersOf(configuration: Configuration): NodeId[] {
  return [...new Set([...configuration.voters, ...configuration.outgoingVoters, ...configuration.learners])];
}

export function isVoter(configuration: Configuration, id: NodeId): boolean {
  return configuration.voters.includes(id) || configuration.outgoingVoters.includes(id);
}

export function isMember(configuration: Configuration, id: NodeId): boolean {
  return isVoter(configuration, id) || configuration.learners.includes(id);
}

export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoingVoters.length > 0;
}

/** The record of one member. Names are not trusted to differ from those that every object has. */
export function recordOf(records: Readonly<Record<NodeId, string>> | undefined, id: NodeId): string | undefined {
  return records !== undefined && Object.hasOwn(records, id) ? records[id] : undefined;
}
