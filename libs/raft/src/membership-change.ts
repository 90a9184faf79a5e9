import { isName } from './configuration-codec.js';
import { isMember, isVoter, membersOf, recordOf, type Configuration, type MemberRecords } from './configuration.js';
import type { NodeId } from './entry.js';

/** What an operator asks for; all of it happens in one change of the configuration. */
export interface MembershipChange {
  /** Nodes that begin to receive the log. They count nowhere. */
  readonly addLearners?: readonly NodeId[];
  /**
   * Of the learners that are added: those that are to become voters by themselves, each with the member whose place it takes, or with its
   * own name.
   */
  readonly joining?: Readonly<Record<NodeId, NodeId>>;
  /** Where members are, those that are added or those that have moved. */
  readonly addresses?: Readonly<Record<NodeId, string>>;
  /** Learners that become voters; they must have caught up. The members whose places they take (`Configuration.joining`) leave with it. */
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
  const complaint = complaintAbout(configuration, change);
  if (complaint !== undefined) return complaint;
  const { voters: before } = configuration;
  const leaving = [...remove, ...promote.flatMap((id) => replacedBy(configuration, id) ?? [])];
  const voters = [...before.filter((id) => !leaving.includes(id)), ...promote];
  const learners = [
    ...configuration.learners.filter((id) => !leaving.includes(id) && !promote.includes(id)),
    ...addLearners,
  ];
  if (voters.length === 0) return `no voter would be left without ${leaving.join(', ')}`;
  const changedCount = promote.length + before.filter((id) => leaving.includes(id)).length;
  const after: Configuration = { voters, outgoingVoters: changedCount > 1 ? before : [], learners };
  if (membersOf(after).length > MEMBERS_MAX) return `there would be more than ${MEMBERS_MAX} members`;
  return withRecords(after, {
    incarnations: configuration.incarnations,
    addresses: { ...configuration.addresses, ...change.addresses },
    joining: { ...configuration.joining, ...change.joining },
  });
}

/** The second step of a joint change: who was only of the outgoing voters leaves. */
export function configurationAfterJoint(configuration: Configuration): Configuration {
  const { voters, learners } = configuration;
  return withRecords({ voters, outgoingVoters: [], learners }, configuration);
}

/** Keeps the records of members only: who is added again may come with another data directory, and from elsewhere. */
export function withRecords(
  { voters, outgoingVoters, learners }: Configuration,
  { incarnations, addresses, joining }: { readonly [Name in keyof MemberRecords]: MemberRecords[Name] | undefined },
): Configuration {
  const members = { voters, outgoingVoters, learners };
  const kept = {
    incarnations: restricted(incarnations, (id) => isMember(members, id)),
    addresses: restricted(addresses, (id) => isMember(members, id)),
    // Who is to be replaced may have left before; then the learner takes nobody's place.
    joining: restricted(
      joining,
      (id) => learners.includes(id),
      (id, of) => (isMember(members, of) ? of : id),
    ),
  };
  return {
    ...members,
    ...(kept.incarnations && { incarnations: kept.incarnations }),
    ...(kept.addresses && { addresses: kept.addresses }),
    ...(kept.joining && { joining: kept.joining }),
  };
}

/** The member whose place a joining learner takes; undefined if it takes nobody's. */
function replacedBy({ joining }: Configuration, id: NodeId): NodeId | undefined {
  const replaced = recordOf(joining, id);
  return replaced === id ? undefined : replaced;
}

/** The incarnation that is recorded for a node. */
export function incarnationOf({ incarnations }: Configuration, id: NodeId): string | undefined {
  return recordOf(incarnations, id);
}

function restricted(
  records: Readonly<Record<NodeId, string>> | undefined,
  isKept: (id: NodeId) => boolean,
  valueOf = (_: NodeId, value: string): string => value,
): Readonly<Record<NodeId, string>> | undefined {
  const kept = Object.entries(records ?? {}).filter(([id]) => isKept(id));
  if (kept.length === 0) return undefined;
  return Object.fromEntries(kept.map(([id, value]) => [id, valueOf(id, value)]));
}

function complaintAbout(configuration: Configuration, change: MembershipChange): string | undefined {
  const { addLearners = [], joining = {}, addresses = {}, promote = [], remove = [] } = change;
  const named = [...addLearners, ...promote, ...remove];
  if (named.length === 0 && Object.keys(addresses).length === 0) return 'the change names no node';
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
  const successors = new Map(Object.entries(configuration.joining ?? {}).map(([id, replaced]) => [replaced, id]));
  for (const [id, replaced] of Object.entries(joining)) {
    if (!addLearners.includes(id)) return `${id} is not among the learners that are added`;
    if (replaced === id) continue;
    if (!isVoter(configuration, replaced)) return `${replaced} is no voter, so nobody takes its place`;
    // Else the second one would come in addition.
    if (successors.has(replaced)) return `${successors.get(replaced)!} takes the place of ${replaced} already`;
    successors.set(replaced, id);
  }
  for (const [id, address] of Object.entries(addresses)) {
    if (!addLearners.includes(id) && !isMember(configuration, id)) return `${id} is no member, so it has no address`;
    if (!isName(address)) return `"${address}" cannot be an address: 1 to 255 visible ASCII characters are allowed`;
  }
  return undefined;
}
