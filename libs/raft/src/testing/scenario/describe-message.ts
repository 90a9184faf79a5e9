import type { Message } from '../../messages.js';
import { describeConfiguration, describeEntry, position } from './describe-entry.js';

/** The short name of a message, for a list of many. */
export function nameOf(message: Message): string {
  const isPreVote = (message.type === 'RequestVote' || message.type === 'RequestVoteResponse') && message.preVote;
  return isPreVote ? `${message.type} (pre-vote)` : message.type;
}

/** A message as one line that reads like what it says. */
export function describeMessage(message: Message): string {
  return `${message.from} -> ${message.to}  ${nameOf(message)} of term ${message.term}: ${contentOf(message)}`;
}

function contentOf(message: Message): string {
  switch (message.type) {
    case 'RequestVote': {
      const wish = message.isTransfer ? ', as the leader wishes' : '';
      return `my log ends at ${position(message.lastLogIndex, message.lastLogTerm)}${wish}`;
    }
    case 'RequestVoteResponse':
      return message.voteGranted ? 'yes' : 'no';
    case 'AppendEntries': {
      const entries = message.entries.map(describeEntry).join(' ') || 'nothing';
      const round = message.readContext > 0 ? `, read round ${message.readContext}` : '';
      const after = position(message.prevLogIndex, message.prevLogTerm);
      return `behind ${after} comes ${entries}; commit ${message.leaderCommit}${round}`;
    }
    case 'AppendEntriesResponse': {
      const round = message.readContext > 0 ? `, read round ${message.readContext}` : '';
      if (message.success) return `stored up to ${message.matchIndex}${round}`;
      const { rejectedIndex, conflictTerm, conflictIndex } = message;
      if (conflictTerm === 0)
        return `no, my log does not reach ${rejectedIndex}, it goes on at ${conflictIndex}${round}`;
      return `no, at ${rejectedIndex} I have term ${conflictTerm}, which begins at ${conflictIndex}${round}`;
    }
    case 'InstallSnapshot': {
      const { index, term, configuration } = message.snapshot;
      return `the state up to ${position(index, term)}, ${describeConfiguration(configuration.configuration)}`;
    }
    case 'TimeoutNow':
      return `campaign, if your log ends at ${position(message.lastLogIndex, message.lastLogTerm)}`;
    case 'ReadIndexRequest':
      return 'at which index may I read?';
    case 'ReadIndexResponse':
      return message.rejection === undefined ? `at ${message.index}` : `at none: ${message.rejection}`;
    case 'MembershipNotice':
      return message.reason === 'removed'
        ? `you are no member since entry ${message.configurationIndex}`
        : 'the member of your name has another data directory';
  }
}
