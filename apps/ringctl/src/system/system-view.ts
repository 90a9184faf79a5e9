import type { ClusterHealth } from '@app/rpc';

/**
 * What is known of the whole system: the answer of `GET /v1/cluster`, and the shape that `-o json` prints. Fields that an older
 * gateway does not send are optional.
 */
export interface SystemView {
  /** Of the placement; missing when nodes were asked instead of a gateway. */
  readonly epoch?: number;
  readonly slot_count?: number;
  readonly clusters: readonly ClusterView[];
}

export interface ClusterView {
  readonly id: string;
  readonly weight?: number;
  /** How many it owns. */
  readonly slots?: number;
  readonly health: ClusterHealth;
  /** Null when nobody leads. */
  readonly leader: string | null;
  readonly term: number | null;
  readonly configuration_index?: number | null;
  readonly is_changing?: boolean | null;
  /** The members as last known, those that are dead included. */
  readonly nodes: readonly NodeView[];
}

/** What only the node itself knows is null while it does not answer; what only the leader knows, while there is none. */
export interface NodeView {
  readonly id: string;
  /** host:port of its gRPC server. */
  readonly address: string;
  readonly is_reachable: boolean;
  readonly role: string | null;
  readonly term: number | null;
  readonly first_index: number | null;
  readonly last_index: number | null;
  readonly commit_index: number | null;
  readonly applied_index: number | null;
  /** Entries that the leader has committed and this node has not applied. */
  readonly lag: number | null;
  readonly revision: string | null;
  readonly log_bytes: number | null;
  readonly state_bytes?: number | null;
  readonly uptime_seconds: number | null;
  readonly version: string | null;
  readonly is_quarantined: boolean | null;
  /** Set on a node that the cluster does not regard as its member: what to do about it. */
  readonly expulsion: string | null;
  readonly content_hash: string | null;
  readonly history_hash: string | null;
  /** Empty when it is well; why it does not answer when it does not. */
  readonly unhealthy_reasons: readonly string[];
  readonly is_learner?: boolean | null;
  readonly is_joining?: boolean | null;
  /** The voter that leaves when this learner becomes one. */
  readonly replaces?: string | null;
  /** What the leader knows that this member has stored. */
  readonly match_index?: number | null;
  /** Whether the leader hears it. */
  readonly is_active?: boolean | null;
}
