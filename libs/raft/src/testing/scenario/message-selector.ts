import type { NodeId } from '../../entry.js';
import type { Message } from '../../messages.js';
import { ScenarioError } from './scenario-error.js';

/** Chooses messages by sender, receiver and type; what is not given is anything. */
export type MessageSelector = (message: Message) => boolean;

const types: Readonly<Record<Message['type'], true>> = {
  RequestVote: true,
  RequestVoteResponse: true,
  AppendEntries: true,
  AppendEntriesResponse: true,
  InstallSnapshot: true,
  TimeoutNow: true,
  ReadIndexRequest: true,
  ReadIndexResponse: true,
  MembershipNotice: true,
};

/** `[FROM -> TO] [TYPE]`, with `*` for any node. */
export function parseSelector(words: readonly string[], isNode: (id: NodeId) => boolean): MessageSelector {
  const rest = [...words];
  let [from, to] = ['*', '*'];
  if (rest[1] === '->') {
    [from = '*', , to = '*'] = rest.splice(0, 3);
    for (const id of [from, to]) if (id !== '*' && !isNode(id)) throw new ScenarioError(`there is no node "${id}"`);
  }
  const type = rest.shift();
  if (type !== undefined && !Object.hasOwn(types, type)) throw new ScenarioError(`there is no message "${type}"`);
  if (rest.length > 0) throw new ScenarioError(`"${rest.join(' ')}" is too much: [FROM -> TO] [TYPE]`);
  return (message) =>
    (from === '*' || from === message.from) &&
    (to === '*' || to === message.to) &&
    (type === undefined || type === message.type);
}
