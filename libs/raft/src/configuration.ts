import type { NodeId } from './entry.js';

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
}

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
