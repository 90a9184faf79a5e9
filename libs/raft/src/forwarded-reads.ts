import type { NodeId, Term } from './entry.js';
import type { ReadIndexResponse, ReadRejection } from './messages.js';
import type { RaftConfig } from './raft-config.js';
import type { Random } from './random.js';
import type { ReadyBuilder } from './ready.js';
import type { RaftState } from './state.js';

/** Requests that one random number stands for, and random numbers to choose from: together they fill a safe integer. */
const REQUESTS_PER_NUMBER = 2 ** 21;
const NUMBER_MAX = 2 ** 31 - 1;

/**
 * Reads on a node that does not lead: it asks its leader for an index. One request at a time is under way, the reads that come meanwhile
 * share the next; each read ends within two election timeouts.
 *
 * A request is never repeated, and its number never used again (a restart draws another beginning), so no late answer can confirm a later
 * read. Every answer may be lost.
 */
export class ForwardedReads {
  /** Whom the reads were accepted under: when that changes, all of them end. */
  private following: { readonly leaderId: NodeId; readonly term: Term } | undefined;
  private asked:
    { readonly requestId: number; readonly since: number; readonly contexts: readonly number[] } | undefined;
  private waiting: number[] = [];
  private waitingSince = 0;
  private nextRequestId = 0;
  private requestsLeft = 0;

  constructor(
    private readonly config: RaftConfig,
    private readonly random: Random,
  ) {
    this.drawNumber();
  }

  get count(): number {
    return this.waiting.length + (this.asked?.contexts.length ?? 0);
  }

  /** The leader is known. */
  add(state: RaftState, context: number): void {
    this.following ??= { leaderId: state.leaderId!, term: state.currentTerm };
    if (this.waiting.length === 0) this.waitingSince = state.now;
    this.waiting.push(context);
  }

  /** Follows what has become of the leader, and asks it if reads wait and no request is under way. */
  settle(state: RaftState, ready: ReadyBuilder): void {
    if (this.following === undefined) return;
    if (state.leaderId !== this.following.leaderId || state.currentTerm !== this.following.term) {
      this.reject([...(this.asked?.contexts ?? []), ...this.waiting], 'leadership_lost', ready);
      this.asked = undefined;
      this.waiting = [];
    }
    // Nothing leaves in a term that is not synced.
    const mayAsk = this.asked === undefined && state.persistedTerm === state.currentTerm;
    if (mayAsk && this.waiting.length > 0) this.ask(state, this.following.leaderId, ready);
    if (this.count === 0) this.following = undefined;
  }

  /** Gives up what has waited for an election timeout: the request or its answer was lost, or the disk keeps it from leaving. */
  tick(state: RaftState, ready: ReadyBuilder): void {
    const oldest = state.now - this.config.electionTimeoutTicks;
    if (this.asked !== undefined && this.asked.since <= oldest) {
      this.reject(this.asked.contexts, 'unanswered', ready);
      this.asked = undefined;
    } else if (this.asked === undefined && this.waiting.length > 0 && this.waitingSince <= oldest) {
      this.reject(this.waiting, 'unanswered', ready);
      this.waiting = [];
    }
  }

  handleResponse(message: ReadIndexResponse, ready: ReadyBuilder): void {
    if (message.requestId !== this.asked?.requestId || message.from !== this.following?.leaderId) return;
    const { contexts } = this.asked;
    this.asked = undefined;
    if (message.rejection === undefined) ready.confirmedReads.push({ index: message.index, contexts });
    else this.reject(contexts, message.rejection, ready);
  }

  private ask(state: RaftState, leaderId: NodeId, ready: ReadyBuilder): void {
    if (this.requestsLeft === 0) this.drawNumber();
    this.requestsLeft -= 1;
    const requestId = this.nextRequestId++;
    this.asked = { requestId, since: state.now, contexts: this.waiting };
    this.waiting = [];
    ready.send({ type: 'ReadIndexRequest', from: state.id, to: leaderId, term: state.currentTerm, requestId });
  }

  private drawNumber(): void {
    this.nextRequestId = this.random.nextInt(0, NUMBER_MAX) * REQUESTS_PER_NUMBER;
    this.requestsLeft = REQUESTS_PER_NUMBER;
  }

  private reject(contexts: readonly number[], reason: ReadRejection, ready: ReadyBuilder): void {
    ready.rejectedReads.push({ reason, contexts });
  }
}
