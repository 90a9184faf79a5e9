import type { ClusterView, NodeView } from '../system/system-view.js';

/** How a node is, in a word; the reasons are told in sentences elsewhere. */
export type NodeCondition = 'ok' | 'joining' | 'unheard' | 'unwell' | 'quarantined' | 'expelled' | 'unreachable';

/** The worst that is known of it. */
export function conditionOf(node: NodeView): NodeCondition {
  if (!node.is_reachable) return 'unreachable';
  if (node.expulsion !== null) return 'expelled';
  if (node.is_quarantined === true) return 'quarantined';
  if (node.unhealthy_reasons.length > 0) return 'unwell';
  // It answers us and not its leader: the way between the two is cut, or it has only just come back.
  if (node.is_active === false) return 'unheard';
  return node.is_joining === true ? 'joining' : 'ok';
}

/** Who follows as a learner counts nowhere, and is not to be taken for a voter. */
export function roleText({ role, is_learner: isLearner }: NodeView): string {
  if (role === null) return '-';
  return isLearner === true && role === 'follower' ? 'learner' : role.replace('_', '-');
}

/**
 * Committed entries that the node is behind. Of one that does not answer only the leader knows, and not for certain: what is stored there, or
 * more, so `~`.
 */
export function lagText(node: NodeView, { nodes, leader }: ClusterView): string {
  if (node.lag !== null) return String(node.lag);
  const committed = nodes.find(({ id }) => id === leader)?.commit_index ?? null;
  const stored = node.match_index ?? null;
  return committed === null || stored === null ? '-' : `~${Math.max(0, committed - stored)}`;
}
