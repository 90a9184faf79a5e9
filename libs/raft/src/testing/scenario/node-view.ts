import type { Entry, LogIndex, NodeId, Term } from '../../entry.js';
import type { ExpulsionReason } from '../../messages.js';
import type { Role } from '../../state.js';
import type { TestNode } from '../node.js';
import { describeConfiguration, describeEntry, position } from './describe-entry.js';

/** What a scenario shows of a node, at one moment. */
export interface NodeView {
  readonly id: NodeId;
  readonly isUp: boolean;
  readonly role: Role;
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
  readonly leaderId: NodeId | undefined;
  readonly base: { readonly index: LogIndex; readonly term: Term };
  /** The terms of the entries behind the base. */
  readonly terms: readonly Term[];
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly configuration: string;
  readonly expulsion: ExpulsionReason | undefined;
  readonly transferTo: NodeId | undefined;
  readonly isWriting: boolean;
  readonly confirmedReads: readonly { readonly context: number; readonly index: LogIndex }[];
  readonly rejectedReads: readonly { readonly context: number; readonly reason: string }[];
}

export function viewOf(node: TestNode): NodeView {
  const { state } = node;
  const { log } = state;
  const terms: Term[] = [];
  for (let index = log.firstIndex; index <= log.lastIndex; index++) terms.push(log.termAt(index));
  return {
    id: node.id,
    isUp: node.isUp,
    role: state.role,
    term: state.currentTerm,
    votedFor: state.votedFor,
    leaderId: state.leaderId,
    base: { ...log.base },
    terms,
    commitIndex: state.commitIndex,
    appliedIndex: state.appliedIndex,
    configuration: describeConfiguration(state.configuration),
    expulsion: state.expulsion,
    transferTo: state.transfer?.to,
    isWriting: node.writing !== undefined,
    confirmedReads: [...node.confirmedReads],
    rejectedReads: [...node.rejectedReads],
  };
}

/** The log as `index.term` of each entry; what was compacted is `..` up to its last position. */
export function logOfView({ base, terms }: NodeView): string {
  const entries = terms.map((term, i) => position(base.index + 1 + i, term));
  if (base.index > 0) entries.unshift(`..${position(base.index, base.term)}`);
  return entries.join(' ') || 'empty';
}

const roles: Readonly<Record<Role, string>> = {
  follower: 'follower',
  preCandidate: 'pre-candidate',
  candidate: 'candidate',
  leader: 'leader',
};

export const roleOf = (view: NodeView): string => (view.isUp ? roles[view.role] : 'down');

/** What has happened to a node between two moments at which it was up; empty if nothing has. */
export function describeChanges(
  before: NodeView,
  after: NodeView,
  entryAt: (index: LogIndex) => Entry | undefined,
): string[] {
  const changes: string[] = [];
  if (before.role !== after.role) changes.push(`${roles[after.role]} in term ${after.term}`);
  else if (before.term !== after.term) changes.push(`term ${after.term}`);
  if (after.votedFor !== undefined && (before.votedFor !== after.votedFor || before.term !== after.term))
    changes.push(`votes for ${after.votedFor === after.id ? 'itself' : after.votedFor}`);
  const hasNewLeader = after.leaderId !== before.leaderId || after.term !== before.term;
  if (after.leaderId !== undefined && after.leaderId !== after.id && hasNewLeader)
    changes.push(`follows ${after.leaderId}`);
  else if (
    after.leaderId === undefined &&
    before.leaderId !== undefined &&
    after.term === before.term &&
    after.role === 'follower'
  )
    changes.push('knows no leader');
  changes.push(...logChanges(before, after, entryAt));
  const isToldByEntry = changes.at(-1)?.includes(`(${after.configuration})`) === true;
  if (before.configuration !== after.configuration && !isToldByEntry) changes.push(`back to ${after.configuration}`);
  if (before.commitIndex !== after.commitIndex) changes.push(`commits up to ${after.commitIndex}`);
  if (before.appliedIndex !== after.appliedIndex && after.appliedIndex !== after.commitIndex)
    changes.push(`applies up to ${after.appliedIndex}`);
  if (
    before.commitIndex === after.commitIndex &&
    before.appliedIndex !== after.appliedIndex &&
    after.appliedIndex === after.commitIndex
  )
    changes.push(`applies up to ${after.appliedIndex}`);
  if (before.transferTo !== after.transferTo && after.transferTo !== undefined)
    changes.push(`hands over to ${after.transferTo}`);
  if (before.transferTo !== undefined && after.transferTo === undefined && after.role === 'leader')
    changes.push(`no longer hands over to ${before.transferTo}`);
  if (before.expulsion !== after.expulsion)
    changes.push(
      after.expulsion === undefined ? 'is no longer expelled' : `knows that it is expelled (${after.expulsion})`,
    );
  for (const { context, index } of after.confirmedReads.slice(before.confirmedReads.length))
    changes.push(`may answer read ${context} once it has applied ${index}`);
  for (const { context, reason } of after.rejectedReads.slice(before.rejectedReads.length))
    changes.push(`rejects read ${context}: ${reason}`);
  if (before.isWriting !== after.isWriting) changes.push(after.isWriting ? 'waits for its disk' : 'its disk is done');
  return changes;
}

function logChanges(before: NodeView, after: NodeView, entryAt: (index: LogIndex) => Entry | undefined): string[] {
  const last = (view: NodeView) => view.base.index + view.terms.length;
  const termAt = (view: NodeView, index: LogIndex) => view.terms[index - view.base.index - 1];
  if (after.base.index > last(before)) {
    return [`has the state up to ${position(after.base.index, after.base.term)} instead of its log`];
  }
  const changes: string[] = [];
  let same = Math.max(before.base.index, after.base.index);
  while (same < last(before) && termAt(before, same + 1) === termAt(after, same + 1)) same++;
  if (same < last(before)) {
    const gone: string[] = [];
    for (let index = same + 1; index <= last(before); index++) gone.push(position(index, termAt(before, index)!));
    changes.push(`deletes ${gone.join(' ')}`);
  }
  if (same < last(after)) {
    const added: string[] = [];
    for (let index = same + 1; index <= last(after); index++) {
      const entry = entryAt(index);
      added.push(entry === undefined ? position(index, termAt(after, index)!) : describeEntry(entry));
    }
    changes.push(`appends ${added.join(' ')}`);
  }
  if (after.base.index > before.base.index)
    changes.push(`log begins behind ${position(after.base.index, after.base.term)}`);
  return changes;
}
