import { ROLE_NAMES, Role, RingraftError, clusterHealth, isChanging, type Member, type StatusResponse } from '@app/rpc';
import type { ClusterView, NodeView, SystemView } from './system-view.js';

/** What is at an address: what the node there says, or why there is nothing. */
type Answer = { readonly address: string } & ({ readonly status: StatusResponse } | { readonly failure: string });

/**
 * What nodes say of themselves and of each other, without a gateway: those at `seeds` and then, once, the members that they know.
 * Never rejects; a seed that answers nothing, and that no other one knows, is in a cluster without a name.
 */
export async function systemOfNodes(
  seeds: readonly string[],
  askStatus: (address: string, timeoutMs: number) => Promise<StatusResponse>,
  timeoutMs: number,
): Promise<SystemView> {
  const deadline = performance.now() + timeoutMs;
  const ask = async (address: string, forMs: number): Promise<Answer> => {
    try {
      return { address, status: await askStatus(address, Math.max(1, forMs)) };
    } catch (error) {
      return { address, failure: error instanceof RingraftError ? error.detail : String(error) };
    }
  };
  const answers: Answer[] = [];
  const asked = new Set<string>();
  const visit = async (address: string, isSeed: boolean): Promise<void> => {
    if (address === '' || asked.has(address)) return;
    asked.add(address);
    const answer = await ask(address, deadline - performance.now());
    answers.push(answer);
    // At once: whoever does not answer keeps nobody waiting.
    if (isSeed && 'status' in answer)
      await Promise.all(answer.status.members.map((member) => visit(member.address, false)));
  };
  await Promise.all(seeds.map((address) => visit(address, true)));
  return { clusters: clustersOf(answers) };
}

function clustersOf(answers: readonly Answer[]): ClusterView[] {
  const byCluster = new Map<string, (Answer & { status: StatusResponse })[]>();
  for (const answer of answers) {
    if (!('status' in answer)) continue;
    const cluster = byCluster.get(answer.status.clusterId) ?? [];
    byCluster.set(answer.status.clusterId, [...cluster, answer]);
  }
  const failures = new Map(
    answers.flatMap((answer) => ('failure' in answer ? [[answer.address, answer.failure]] : [])),
  );
  const clusters = [...byCluster].map(([id, statuses]) => clusterOf(id, statuses, failures));
  const named = new Set(clusters.flatMap(({ nodes }) => nodes.map(({ address }) => address)));
  const strangers = [...failures].filter(([address]) => !named.has(address));
  if (strangers.length > 0) {
    clusters.push({
      id: '?',
      health: 'unavailable',
      leader: null,
      term: null,
      nodes: strangers.map(([address, failure]) => silentNode('?', address, failure)),
    });
  }
  return clusters.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function clusterOf(
  id: string,
  answers: readonly (Answer & { status: StatusResponse })[],
  failures: ReadonlyMap<string, string>,
): ClusterView {
  const statuses = answers.map(({ status }) => status);
  const leader = statuses
    .filter(({ role }) => role === Role.LEADER)
    .reduce<StatusResponse | undefined>(
      (best, status) => ((best?.term ?? -1) < status.term ? status : best),
      undefined,
    );
  // Who leads knows the members best; without a leader, whoever has the newest configuration.
  const newest = leader ?? statuses.reduce((a, b) => (b.configurationIndex > a.configurationIndex ? b : a));
  const members = newest.members;
  const nodes = members.map((member) => {
    const answer = answers.find(({ status }) => status.nodeId === member.nodeId);
    if (!answer) {
      return {
        ...silentNode(member.nodeId, member.address, failures.get(member.address) ?? 'it did not answer'),
        ...membershipOf(member, leader),
      };
    }
    return { ...nodeOf(answer, leader), ...membershipOf(member, leader) };
  });
  const areAllWell = nodes.every((node) => node.is_reachable && node.unhealthy_reasons.length === 0);
  const strangers = answers.filter(({ status }) => !members.some(({ nodeId }) => nodeId === status.nodeId));
  return {
    id,
    health: clusterHealth(leader, areAllWell),
    leader: leader?.nodeId ?? null,
    term: leader?.term ?? null,
    configuration_index: newest.configurationIndex,
    is_changing: isChanging(newest),
    nodes: [...nodes, ...strangers.map((answer) => nodeOf(answer, leader))],
  };
}

function membershipOf(member: Member, leader: StatusResponse | undefined): Partial<NodeView> {
  return {
    is_learner: member.isLearner,
    is_joining: member.isJoining,
    replaces: member.replaces || null,
    match_index: leader ? member.matchIndex : null,
    is_active: leader ? member.isActive : null,
  };
}

function nodeOf(
  { address, status }: { address: string; status: StatusResponse },
  leader: StatusResponse | undefined,
): NodeView {
  return {
    id: status.nodeId,
    address,
    is_reachable: true,
    role: ROLE_NAMES[status.role],
    term: status.term,
    first_index: status.firstIndex,
    last_index: status.lastIndex,
    commit_index: status.commitIndex,
    applied_index: status.appliedIndex,
    lag: leader ? Math.max(0, leader.commitIndex - status.appliedIndex) : null,
    revision: String(status.revision),
    log_bytes: status.logBytes,
    state_bytes: status.stateBytes,
    uptime_seconds: status.uptimeSeconds,
    version: status.version,
    is_quarantined: status.isQuarantined,
    expulsion: status.expulsion || null,
    content_hash: status.contentHash || null,
    history_hash: status.historyHash || null,
    unhealthy_reasons: status.unhealthyReasons,
  };
}

function silentNode(id: string, address: string, failure: string): NodeView {
  return {
    id,
    address,
    is_reachable: false,
    role: null,
    term: null,
    first_index: null,
    last_index: null,
    commit_index: null,
    applied_index: null,
    lag: null,
    revision: null,
    log_bytes: null,
    state_bytes: null,
    uptime_seconds: null,
    version: null,
    is_quarantined: null,
    expulsion: null,
    content_hash: null,
    history_hash: null,
    unhealthy_reasons: [failure],
  };
}
