import type { Message, NodeId } from '@app/raft';
import { messageText } from './message-text.js';
import type { SimTime } from './observer.js';

/**
 * What happened, twice: as a hash of numbers, which costs little and tells whether two runs were the same; and as lines of text, which are
 * only made when someone reads them.
 */
export class Trace {
  private one = 0x243f6a88;
  private other = 0x13198a2e;
  private readonly wordHashes = new Map<string, number>();

  constructor(
    private readonly now: () => SimTime,
    private readonly sink?: (line: string) => void,
  ) {}

  /** Of everything so far: 16 hexadecimal digits. */
  get hash(): string {
    return hex(this.one) + hex(this.other);
  }

  event(kind: string, node: NodeId, numbers: readonly number[], text?: () => string): void {
    this.add(this.now());
    this.add(this.hashOf(kind));
    this.add(this.hashOf(node));
    for (const number of numbers) this.add(number);
    if (this.sink === undefined) return;
    const detail = text?.() ?? numbers.join(' ');
    this.line(`${node}  ${kind}${detail === '' ? '' : ` ${detail}`}`);
  }

  /** `what` became of it: sent, lost, delivered ... */
  message(what: MessageEvent, message: Message): void {
    this.add(this.now());
    this.add(what);
    this.add(this.hashOf(message.type));
    this.add(this.hashOf(message.from));
    this.add(this.hashOf(message.to));
    this.add(message.term);
    switch (message.type) {
      case 'AppendEntries':
        this.add(message.prevLogIndex);
        this.add(message.entries.length);
        this.add(message.leaderCommit);
        this.add(message.readContext);
        break;
      case 'AppendEntriesResponse':
        this.add(message.success ? message.matchIndex : ~message.rejectedIndex);
        this.add(message.readContext);
        break;
      case 'RequestVote':
      case 'TimeoutNow':
        this.add(message.lastLogIndex);
        this.add(message.lastLogTerm);
        break;
      case 'RequestVoteResponse':
        this.add(message.voteGranted ? 1 : 0);
        break;
      case 'InstallSnapshot':
        this.add(message.snapshot.index);
        break;
      case 'ReadIndexRequest':
        this.add(message.requestId);
        break;
      case 'ReadIndexResponse':
        this.add(message.requestId);
        this.add(message.index);
        break;
      case 'MembershipNotice':
        this.add(message.configurationIndex);
        break;
    }
    if (this.sink === undefined) return;
    this.line(`${message.from} ${ARROWS[what]} ${message.to}  ${messageText(message)}`);
  }

  private line(text: string): void {
    this.sink?.(`${String(this.now()).padStart(8)}  ${text}`);
  }

  private hashOf(word: string): number {
    let hash = this.wordHashes.get(word);
    if (hash === undefined) {
      hash = 0x811c9dc5;
      for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
      this.wordHashes.set(word, hash);
    }
    return hash;
  }

  private add(number: number): void {
    const low = number | 0;
    const mixedIn = number === low ? low : low ^ Math.imul(Math.floor(number / 2 ** 32) | 0, 0x27d4eb2f);
    this.one = Math.imul((this.one << 5) ^ (this.one >>> 27) ^ mixedIn, 0x9e3779b1);
    this.other = Math.imul((this.other << 13) ^ (this.other >>> 19) ^ mixedIn, 0x85ebca6b) + 0x165667b1;
  }
}

export const MessageEvent = { Sent: 0, Received: 1, Lost: 2, Refused: 3 } as const;
export type MessageEvent = (typeof MessageEvent)[keyof typeof MessageEvent];

const ARROWS = ['->', '=>', '-x', '=x'] as const;

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}
