import { membersOf, type Message } from '@app/raft';

/** A message in one line, without sender and receiver. Positions in the log are written index/term. */
export function messageText(message: Message): string {
  return `${message.type} term ${message.term} ${bodyText(message)}`.trimEnd();
}

function bodyText(message: Message): string {
  switch (message.type) {
    case 'RequestVote':
      return `last ${message.lastLogIndex}/${message.lastLogTerm}${flag(message.preVote, 'pre-vote')}${flag(message.isTransfer, 'transfer')}`;
    case 'RequestVoteResponse':
      return `${message.voteGranted ? 'granted' : 'refused'}${flag(message.preVote, 'pre-vote')}`;
    case 'AppendEntries': {
      const { prevLogIndex, prevLogTerm, entries, leaderCommit, readContext } = message;
      return `prev ${prevLogIndex}/${prevLogTerm} +${entries.length} commit ${leaderCommit}${round(readContext)}`;
    }
    case 'AppendEntriesResponse':
      return message.success
        ? `match ${message.matchIndex}${round(message.readContext)}`
        : `rejected ${message.rejectedIndex} conflict ${message.conflictIndex}/${message.conflictTerm}${round(message.readContext)}`;
    case 'InstallSnapshot': {
      const { index, term, configuration } = message.snapshot;
      return `snapshot ${index}/${term} of ${membersOf(configuration.configuration).join(',')} since ${configuration.index}`;
    }
    case 'TimeoutNow':
      return `last ${message.lastLogIndex}/${message.lastLogTerm}`;
    case 'ReadIndexRequest':
      return `request ${message.requestId}`;
    case 'ReadIndexResponse':
      return `request ${message.requestId} ${message.rejection ?? `index ${message.index}`}`;
    case 'MembershipNotice':
      return `${message.reason} by ${message.configurationIndex}`;
  }
}

const flag = (isSet: boolean, name: string): string => (isSet ? ` ${name}` : '');

const round = (readContext: number): string => (readContext > 0 ? ` round ${readContext}` : '');
