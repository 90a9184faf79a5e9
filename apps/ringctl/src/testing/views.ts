import type { ClusterView, NodeView } from '../system/system-view.js';

/** A voter that follows and is well, but for `facts`. */
export function nodeView(id: string, facts: Partial<NodeView> = {}): NodeView {
  return {
    id,
    address: `${id}:7001`,
    is_reachable: true,
    role: 'follower',
    term: 3,
    first_index: 1,
    last_index: 100,
    commit_index: 100,
    applied_index: 100,
    lag: 0,
    revision: '90',
    log_bytes: 1_048_576,
    state_bytes: 2_048,
    uptime_seconds: 60,
    version: '0.1.0',
    is_quarantined: false,
    expulsion: null,
    content_hash: 'aa',
    history_hash: 'bb',
    unhealthy_reasons: [],
    is_learner: false,
    is_joining: false,
    replaces: null,
    match_index: 100,
    is_active: true,
    ...facts,
  };
}

/** One that does not answer; what the leader knows of it is in `facts`. */
export function silentNode(id: string, reason: string, facts: Partial<NodeView> = {}): NodeView {
  const unknown = { role: null, term: null, commit_index: null, applied_index: null, lag: null, version: null };
  const sizes = { log_bytes: null, state_bytes: null, is_quarantined: null };
  return nodeView(id, {
    ...unknown,
    ...sizes,
    is_reachable: false,
    is_active: false,
    unhealthy_reasons: [reason],
    ...facts,
  });
}

/** Led by n1 and healthy, but for `facts`. */
export function clusterView(nodes: readonly NodeView[], facts: Partial<ClusterView> = {}): ClusterView {
  return {
    id: 'c1',
    health: 'healthy',
    leader: 'n1',
    term: 3,
    configuration_index: 1,
    is_changing: false,
    nodes,
    ...facts,
  };
}
