import { isJoint, isMember, recordOf, type Configuration, type NodeId } from '@app/raft';
import type { ObservedNode } from '../observer.js';

/**
 * Which nodes have lost what they had promised, and what may therefore not be done any more: no configuration may be without a
 * majority of voters that have kept their promises, for then the cluster would be broken by us and not by a fault of its own.
 */
export class MembershipGuard {
  private readonly lost = new Set<NodeId>();

  constructor(
    private readonly nodes: () => readonly ObservedNode[],
    /** Whom a node whose disk was emptied believes to be the voters again. */
    private readonly firstVoters: readonly NodeId[],
  ) {}

  isLost(id: NodeId): boolean {
    return this.lost.has(id);
  }

  lose(id: NodeId): void {
    this.lost.add(id);
  }

  /**
   * Whether the disk of this node may be emptied or damaged now: everyone knows its incarnation, a majority is left, and it does not become a
   * voter before its leader has noticed. A sole first voter without its disk would be a cluster of its own (decision 8).
   */
  mayLose(id: NodeId): boolean {
    const isSoleFirst = this.firstVoters.length === 1 && this.firstVoters.includes(id);
    if (isSoleFirst || this.lost.has(id)) return false;
    for (const node of this.nodes()) {
      if (this.lost.has(node.id)) continue;
      const { state } = node;
      if (state === undefined) return false;
      const { configuration, configurations, commitIndex, log } = state;
      if (configuration.voters.length === 0) continue;
      const isSettled =
        configurations.currentIndex <= Math.min(commitIndex, log.persistedIndex) && !isJoint(configuration);
      if (!isSettled || !this.isSoundWithout(configuration, id)) return false;
      if (recordOf(configuration.joining, id) !== undefined) return false;
      if (isMember(configuration, id) && configuration.incarnations?.[id] === undefined) return false;
    }
    return true;
  }

  /** Whether an operator may ask for a configuration with these voters. */
  allows(voters: readonly NodeId[]): boolean {
    return voters.length > 0 && 2 * voters.filter((id) => !this.lost.has(id)).length > voters.length;
  }

  private isSoundWithout({ voters }: Configuration, id: NodeId): boolean {
    return (
      this.allows(voters) && 2 * voters.filter((voter) => voter !== id && !this.lost.has(voter)).length > voters.length
    );
  }
}
