import { isName } from './configuration-codec.js';
import { isMember, membersOf, type Configuration } from './configuration.js';
import type { NodeId } from './entry.js';

/** What an operator asks for; all of it happens in one change of the configuration. */
export interface MembershipChange {
  /** Nodes that begin to receive the log. They count nowhere. */
  readonly addLearners?: readonly NodeId[];
  /** Learners that become voters; they must have caught up. */
  readonly promote?: readonly NodeId[];
  /** Voters or learners that leave, the leader itself not excepted. */
  readonly remove?: readonly NodeId[];
}

/** Far above any cluster that makes sense; well below what the encoding can carry. */
const MEMBERS_MAX = 1000;

/**
 * The configuration that a change leads to, or a sentence that says why it makes no sense. It is joint if more than one voter comes or
 * goes: only sets that differ by one have no two disjoint majorities (dissertation 4.1, 4.3).
 */
export function configurationAfter(configuration: Configuration, change: MembershipChange): Configuration | string {
  const { addLearners = [], promote = [], remove = [] } = change;
  const complaint = complaintAbout(configuration, addLearners, promote, remove);
  if (complaint !== undefined) return complaint;
  const { voters: before } = configuration;
  const voters = [...before.filter((id) => !remove.includes(id)), ...promote];
  const learners = [
    ...configuration.learners.filter((id) => !remove.includes(id) && !promote.includes(id)),
    ...addLearners,
  ];
  if (voters.length === 0) return `no voter would be left without ${remove.join(', ')}`;
  const changedCount = promote.length + before.filter((id) => remove.includes(id)).length;
  const after: Configuration = { voters, outgoingVoters: changedCount > 1 ? before : [], learners };
  if (membersOf(after).length > MEMBERS_MAX) return `there would be more than ${MEMBERS_MAX} members`;
  return withIncarnations(after, configuration.incarnations);
}

/** The second step of a joint change: who was only of the outgoing voters leaves. */
export function configurationAfterJoint(configuration: Configuration): Configuration {
  const { voters, learners, incarnations } = configuration;
  return withIncarnations({ voters, outgoingVoters: [], learners }, incarnations);
}

/** Keeps the incarnations of members only: who is added again may come with another data directory. */
export function withIncarnations(
  configuration: Configuration,
  incarnations: Readonly<Record<NodeId, string>> | undefined,
): Configuration {
  const { voters, outgoingVoters, learners } = configuration;
  const kept = Object.entries(incarnations ?? {}).filter(([id]) => isMember(configuration, id));
  if (kept.length === 0) return { voters, outgoingVoters, learners };
  return { voters, outgoingVoters, learners, incarnations: Object.fromEntries(kept) };
}

/** The incarnation that is recorded for a node. Names are not trusted to differ from those that every object has. */
export function incarnationOf({ incarnations }: Configuration, id: NodeId): string | undefined {
  return incarnations !== undefined && Object.hasOwn(incarnations, id) ? incarnations[id] : undefined;
}

function complaintAbout(
  configuration: Configuration,
  addLearners: readonly NodeId[],
  promote: readonly NodeId[],
  remove: readonly NodeId[],
): string | undefined {
  const named = [...addLearners, ...promote, ...remove];
  if (named.length === 0) return 'the change names no node';
  const twice = named.find((id, i) => named.indexOf(id) !== i);
  if (twice !== undefined) return `${twice} is named twice`;
  for (const id of addLearners) {
    if (!isName(id)) return `"${id}" cannot be a name: 1 to 255 visible ASCII characters are allowed`;
    if (isMember(configuration, id)) return `${id} is a member already`;
  }
  for (const id of promote) {
    if (configuration.voters.includes(id)) return `${id} is a voter already`;
    if (!configuration.learners.includes(id)) return `${id} is no learner; it has to be added as one first`;
  }
  const stranger = remove.find((id) => !isMember(configuration, id));
  if (stranger !== undefined) return `${stranger} is no member; members are ${membersOf(configuration).join(', ')}`;
  return undefined;
}
