import { Role, type StatusResponse } from './gen/admin.js';

/*
 * What answers of admin.v1.Membership/Status amount to, in the words of `GET /v1/cluster`: a gateway and an operator who asks the nodes
 * without one must be told the same.
 */

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  [Role.UNSPECIFIED]: 'unknown',
  [Role.FOLLOWER]: 'follower',
  [Role.PRE_CANDIDATE]: 'pre_candidate',
  [Role.CANDIDATE]: 'candidate',
  [Role.LEADER]: 'leader',
};

export type ClusterHealth = 'healthy' | 'degraded' | 'unavailable';

/**
 * A leader that cannot hear a majority cannot commit; it knows best which members it hears. `leader` is who leads and what it
 * says of the members, undefined when nobody leads; `areAllWell` whether every member has answered, without a complaint.
 */
export function clusterHealth(
  leader: Pick<StatusResponse, 'nodeId' | 'members'> | undefined,
  areAllWell: boolean,
): ClusterHealth {
  if (leader === undefined) return 'unavailable';
  const voters = leader.members.filter(({ isLearner }) => !isLearner);
  const heard = voters.filter(({ nodeId, isActive }) => isActive || nodeId === leader.nodeId).length;
  if (voters.length > 0 && heard * 2 <= voters.length) return 'unavailable';
  return areAllWell && heard === voters.length ? 'healthy' : 'degraded';
}

/** Whether a change of the membership is under way, as far as this node knows. */
export function isChanging({ isConfigurationJoint, members }: StatusResponse): boolean {
  return isConfigurationJoint || members.some(({ isJoining }) => isJoining);
}
