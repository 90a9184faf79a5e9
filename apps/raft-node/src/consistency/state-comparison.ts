import type { StateHashes } from '@app/kv';
import { membersOf, type Configuration, type NodeId } from '@app/raft';

/** Members whose states are equal. */
export interface Camp {
  readonly hashes: StateHashes;
  readonly ids: readonly NodeId[];
}

export type Verdict =
  /** Nobody who answered contradicts another. The missing did not answer, or not about this entry. */
  | { readonly kind: 'equal'; readonly agreeing: readonly NodeId[]; readonly missing: readonly NodeId[] }
  /** A majority of all voters agrees, so the others are wrong. */
  | { readonly kind: 'outvoted'; readonly majority: Camp; readonly odd: readonly Camp[] }
  /** Members differ, and no majority agrees: nobody can tell who is wrong. The largest camp comes first. */
  | { readonly kind: 'undecided'; readonly camps: readonly Camp[] };

/**
 * What follows from the hashes that members have after one entry. A majority is one of all voters, those that did not answer counted; in
 * a joint configuration, of both of its voter lists. Learners are judged and do not judge.
 */
export function compareStates(configuration: Configuration, answers: ReadonlyMap<NodeId, StateHashes>): Verdict {
  const members = membersOf(configuration);
  const camps = campsOf(members, answers);
  if (camps.length <= 1) {
    return { kind: 'equal', agreeing: camps[0]?.ids ?? [], missing: members.filter((id) => !answers.has(id)) };
  }
  const majority = camps.find(({ ids }) => isMajority(configuration, ids));
  if (majority === undefined) return { kind: 'undecided', camps };
  return { kind: 'outvoted', majority, odd: camps.filter((camp) => camp !== majority) };
}

/** Whether these members, and perhaps others, are a majority of the voters. */
export function isMajority({ voters, outgoingVoters }: Configuration, ids: readonly NodeId[]): boolean {
  return [voters, outgoingVoters].every((list) => {
    const agreeing = list.filter((id) => ids.includes(id)).length;
    return list.length === 0 || agreeing * 2 > list.length;
  });
}

export function areEqual(one: StateHashes, other: StateHashes): boolean {
  return one.content === other.content && one.history === other.history;
}

/** For people: which of the two hashes differ tells what went wrong. */
export function describe({ content, history }: StateHashes): string {
  return `content ${content}, history ${history}`;
}

function campsOf(members: readonly NodeId[], answers: ReadonlyMap<NodeId, StateHashes>): Camp[] {
  const camps: { hashes: StateHashes; ids: NodeId[] }[] = [];
  for (const id of members) {
    const hashes = answers.get(id);
    if (hashes === undefined) continue;
    const camp = camps.find((each) => areEqual(each.hashes, hashes));
    if (camp === undefined) camps.push({ hashes, ids: [id] });
    else camp.ids.push(id);
  }
  return camps.sort((one, other) => other.ids.length - one.ids.length);
}
