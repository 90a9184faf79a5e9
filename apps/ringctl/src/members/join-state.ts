import type { ClusterView } from '../system/system-view.js';

/** How far a newcomer is. */
export type JoinState =
  | { readonly kind: 'voter' }
  /** It stays what it is until somebody promotes it. */
  | { readonly kind: 'learner' }
  /** The leader does not know it: the change was taken back, or somebody removed it. */
  | { readonly kind: 'absent' }
  /** The leader does not hear it: it does not run yet, as a rule. */
  | { readonly kind: 'unheard' }
  | { readonly kind: 'catching_up'; readonly stored: number; readonly committed: number }
  /** Nobody can say at the moment. */
  | { readonly kind: 'no_leader' };

/** What the leader knows of the newcomer; with `replaced`, it is a voter only once that one is gone. */
export function joinStateOf({ leader, nodes }: ClusterView, nodeId: string, replaced?: string): JoinState {
  const committed = nodes.find(({ id }) => id === leader)?.commit_index ?? null;
  if (leader === null || committed === null) return { kind: 'no_leader' };
  const node = nodes.find(({ id }) => id === nodeId);
  // A node that answers and is no member is shown without what the leader knows of members.
  if (node === undefined || typeof node.is_learner !== 'boolean') return { kind: 'absent' };
  if (!node.is_learner) {
    const isReplacedThere = nodes.some(({ id, is_learner: isLearner }) => id === replaced && isLearner === false);
    return isReplacedThere ? { kind: 'catching_up', stored: committed, committed } : { kind: 'voter' };
  }
  if (node.is_joining === false) return { kind: 'learner' };
  if (node.is_active !== true) return { kind: 'unheard' };
  return { kind: 'catching_up', stored: Math.min(node.match_index ?? 0, committed), committed };
}

/** Whether nothing more happens by itself. */
export function isFinal({ kind }: JoinState): boolean {
  return kind === 'voter' || kind === 'learner' || kind === 'absent';
}

/** In a line, without the node's name. */
export function joinStateText(state: JoinState, address: string): string {
  switch (state.kind) {
    case 'voter':
      return 'is a voter';
    case 'learner':
      return 'is a learner';
    case 'absent':
      return 'is no member';
    case 'unheard':
      return `is not heard yet: start it with --join at ${address}`;
    case 'no_leader':
      return 'cannot be looked after: the cluster has no leader at the moment';
    case 'catching_up':
      return `is catching up: ${percentOf(state)}% of the log`;
  }
}

/** Down: 100 is only what is there. */
export function percentOf({ stored, committed }: { readonly stored: number; readonly committed: number }): number {
  return committed === 0 ? 100 : Math.floor((100 * stored) / committed);
}
