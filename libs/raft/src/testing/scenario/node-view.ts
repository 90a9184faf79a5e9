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
  /** Who waits for this node to send it the state. */
  readonly stateRequests: readonly NodeId[];
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
    stateRequests: [...node.requests],
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
export function describeChanges(before: NodeView, after: NodeView, entryAt: EntryAt): string[] {
  return [
    ...electionChanges(before, after),
    ...logChanges(before, after, entryAt),
    ...commitChanges(before, after),
    ...dutyChanges(before, after),
    ...readChanges(before, after),
  ];
}

type EntryAt = (index: LogIndex) => Entry | undefined;

function electionChanges(before: NodeView, after: NodeView): string[] {
  const changes: string[] = [];
  const isNewTerm = before.term !== after.term;
  if (before.role !== after.role) changes.push(`${roles[after.role]} in term ${after.term}`);
  else if (isNewTerm) changes.push(`term ${after.term}`);
  if (after.votedFor !== undefined && (before.votedFor !== after.votedFor || isNewTerm)) {
    changes.push(`votes for ${after.votedFor === after.id ? 'itself' : after.votedFor}`);
  }
  const hasNewLeader = after.leaderId !== before.leaderId || isNewTerm;
  if (hasNewLeader && after.leaderId !== undefined && after.leaderId !== after.id) {
    changes.push(`follows ${after.leaderId}`);
  }
  if (after.leaderId === undefined && before.leaderId !== undefined && !isNewTerm && after.role === 'follower') {
    changes.push('knows no leader');
  }
  return changes;
}

function commitChanges(before: NodeView, after: NodeView): string[] {
  const changes: string[] = [];
  if (before.commitIndex !== after.commitIndex) changes.push(`commits up to ${after.commitIndex}`);
  // Applying follows at once, unless something holds it up.
  const isAtOnce = before.commitIndex !== after.commitIndex && after.appliedIndex === after.commitIndex;
  if (before.appliedIndex !== after.appliedIndex && !isAtOnce) changes.push(`applies up to ${after.appliedIndex}`);
  return changes;
}

function dutyChanges(before: NodeView, after: NodeView): string[] {
  const changes: string[] = [];
  if (before.transferTo !== after.transferTo && after.transferTo !== undefined) {
    changes.push(`hands over to ${after.transferTo}`);
  }
  if (before.transferTo !== undefined && after.transferTo === undefined && after.role === 'leader') {
    changes.push(`no longer hands over to ${before.transferTo}`);
  }
  if (before.expulsion !== after.expulsion) {
    const what =
      after.expulsion === undefined ? 'is no longer expelled' : `knows that it is expelled (${after.expulsion})`;
    changes.push(what);
  }
  const asking = after.stateRequests.filter((id) => !before.stateRequests.includes(id));
  if (asking.length > 0) changes.push(`has to send its state to ${asking.join(' ')}`);
  if (before.isWriting !== after.isWriting) changes.push(after.isWriting ? 'waits for its disk' : 'its disk is done');
  return changes;
}

function readChanges(before: NodeView, after: NodeView): string[] {
  const confirmed = after.confirmedReads
    .slice(before.confirmedReads.length)
    .map(({ context, index }) => `may answer read ${context} once it has applied ${index}`);
  const rejected = after.rejectedReads
    .slice(before.rejectedReads.length)
    .map(({ context, reason }) => `rejects read ${context}: ${reason}`);
  return [...confirmed, ...rejected];
}

/** The log, and the configuration that comes with it. */
function logChanges(before: NodeView, after: NodeView, entryAt: EntryAt): string[] {
  const changes: string[] = [];
  const { base } = after;
  const isReplaced = base.index > before.base.index && termAt(before, base.index) !== base.term;
  if (isReplaced) {
    changes.push(`has the state up to ${position(base.index, base.term)} instead of its log`);
  }
  let same = Math.max(before.base.index, base.index);
  while (same < lastIndexOf(before) && termAt(before, same + 1) === termAt(after, same + 1)) same++;
  const gone: string[] = [];
  for (let index = same + 1; index <= lastIndexOf(before); index++) gone.push(position(index, termAt(before, index)!));
  if (gone.length > 0 && !isReplaced) changes.push(`deletes ${gone.join(' ')}`);
  const added: string[] = [];
  for (let index = same + 1; index <= lastIndexOf(after); index++) {
    const entry = entryAt(index);
    added.push(entry === undefined ? position(index, termAt(after, index)!) : describeEntry(entry));
  }
  if (added.length > 0) changes.push(`appends ${added.join(' ')}`);
  const isToldByEntry = added.some((entry) => entry.includes(`(${after.configuration})`));
  if (before.configuration !== after.configuration && !isToldByEntry) {
    changes.push(isReplaced ? `configuration ${after.configuration}` : `back to ${after.configuration}`);
  }
  if (!isReplaced && base.index > before.base.index) {
    changes.push(`forgets its log up to ${position(base.index, base.term)}`);
  }
  return changes;
}

const lastIndexOf = ({ base, terms }: NodeView): LogIndex => base.index + terms.length;

const termAt = ({ base, terms }: NodeView, index: LogIndex): Term | undefined => terms[index - base.index - 1];
