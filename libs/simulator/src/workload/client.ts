import { encodeAnswer, type Answer, type Command, type Request, type SessionStamp } from '@app/kv';
import type { NodeId, Random, ReadMode } from '@app/raft';
import { areEqualBytes } from '../checks/bytes.js';
import { fail } from '../checks/fail.js';
import type { PendingCalls } from '../checks/pending-calls.js';
import { textOf, type WriteRecord } from '../checks/write-record.js';
import type { Outcome, SimTime } from '../observer.js';
import type { WorkloadPlan } from '../plan/run-plan.js';
import type { WorldControl } from '../world-control.js';
import { answerOf, argumentOf, type HistoryRecorder, type OpenOperation } from './history-recorder.js';

/** What all clients of a run share. */
export interface ClientSurroundings {
  readonly world: WorldControl;
  readonly plan: WorkloadPlan;
  readonly history: HistoryRecorder;
  readonly calls: PendingCalls;
  readonly writes: WriteRecord;
  readonly areLeasesSound: boolean;
}

export type ClientReadMode = ReadMode | 'stale';

/** An operation that is tried on one node after the other, until its outcome is known or the client gives up. */
interface Attempting {
  readonly open: OpenOperation | undefined;
  readonly request: Request;
  readonly mode: ClientReadMode;
  readonly deadline: SimTime;
  readonly done: (answer: Answer | undefined) => void;
  attempt: number;
  /** An attempt of unknown outcome may yet take effect. */
  mayHaveHappened: boolean;
  isOver: boolean;
}

const RETRY_DELAY_MAX = 30;
const encodeText = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/**
 * One client: one operation after the other. It follows hints, believes an old leader for as long as that answers, and goes to another node
 * when one does not answer. Only what is safe to repeat is repeated: what was rejected, reads, and writes under a session.
 */
export class Client {
  private process: number;
  private believedLeader: NodeId | undefined;
  private clientId: number | undefined;
  private sequence = 0;
  private operations = 0;
  private readonly revisions = new Map<string, number>();
  private readonly random: Random;
  private isStopped = false;

  constructor(
    private readonly name: string,
    private readonly around: ClientSurroundings,
  ) {
    this.random = around.world.random(`client ${name}`);
    this.process = around.history.newProcess();
  }

  start(): void {
    this.think();
  }

  /** Begins nothing any more. */
  stop(): void {
    this.isStopped = true;
  }

  /** A read beside its own operations, for the end of a run. */
  readKey(
    key: string,
    mode: ReadMode,
    node: NodeId,
    timeout: SimTime,
    done: (answer: Answer | undefined) => void,
  ): void {
    this.believedLeader = node;
    this.read(key, mode, timeout, done);
  }

  writeKey(key: string, value: string, timeout: SimTime, done: (answer: Answer | undefined) => void): void {
    this.write(
      { kind: 'set', key: encodeText(key), value: encodeText(value), contentType: '', ttlMs: 0 },
      timeout,
      done,
    );
  }

  private chance(percent: number): boolean {
    return this.random.nextInt(1, 100) <= percent;
  }

  private think(): void {
    const { world, plan } = this.around;
    if (this.isStopped || this.operations >= plan.operationsMax) return;
    world.at(world.now + this.random.nextInt(1, plan.thinkTimeMax), () => {
      if (!this.isStopped) this.next();
    });
  }

  private next(): void {
    const { plan } = this.around;
    this.operations += 1;
    const then = (): void => this.think();
    if (this.chance(plan.readShare)) {
      const mode = this.chance(plan.staleShare) ? 'stale' : this.chance(plan.leaseShare) ? 'lease' : 'read_index';
      this.read(this.drawKey(), mode, plan.giveUpTimeout, then);
      return;
    }
    if (this.chance(plan.sessionShare)) this.writeInSession(then);
    else this.write(this.drawCommand(undefined), plan.giveUpTimeout, then);
  }

  private read(key: string, mode: ClientReadMode, timeout: SimTime, done: (answer: Answer | undefined) => void): void {
    const { history, world, areLeasesSound } = this.around;
    const isChecked = !isExpiring(key) && (mode === 'read_index' || (mode === 'lease' && areLeasesSound));
    const open = isChecked ? { process: this.process, f: 'read', key, value: null } : undefined;
    if (open) history.invoke(open, world.now);
    this.begin({ kind: 'get', key: encodeText(key) }, mode, open, timeout, (answer) => {
      if (answer !== undefined) this.checkWritten(key, answer);
      done(answer);
    });
  }

  private write(command: Command, timeout: SimTime, done: (answer: Answer | undefined) => void): void {
    const { history, world } = this.around;
    const key = 'key' in command ? textOf(command.key) : '';
    const isChecked = command.kind !== 'openSession' && !isExpiring(key);
    const f = command.kind === 'set' ? 'write' : command.kind;
    const open = isChecked ? { process: this.process, f, key, value: argumentOf(command) } : undefined;
    if (open) history.invoke(open, world.now);
    this.begin(command, 'read_index', open, timeout, (answer) => {
      if (answer !== undefined && 'revision' in answer) this.revisions.set(key, answer.revision);
      done(answer);
    });
  }

  private writeInSession(then: () => void): void {
    const { plan } = this.around;
    if (this.clientId === undefined) {
      this.write({ kind: 'openSession' }, plan.giveUpTimeout, (answer) => {
        if (answer?.kind === 'openSession') this.clientId = answer.clientId;
        this.sequence = 0;
        then();
      });
      return;
    }
    const sequence = ++this.sequence;
    const command = this.drawCommand({ clientId: this.clientId, sequence, acknowledgedBelow: sequence });
    this.write(command, plan.giveUpTimeout, (answer) => {
      if (answer?.kind === 'failure' && answer.code === 'SESSION_EXPIRED') this.clientId = undefined;
      if (answer === undefined || !this.chance(plan.repeatShare)) return then();
      this.repeat(command, answer, then);
    });
  }

  /** Sends a finished write of a session once more, to any node: it must do nothing and be answered the same. */
  private repeat(command: Command, first: Answer, then: () => void): void {
    this.believedLeader = this.anyNode();
    this.begin(command, 'read_index', undefined, this.around.plan.attemptTimeout, (again) => {
      if (again !== undefined && !areEqualBytes(encodeAnswer(again), encodeAnswer(first))) {
        fail(
          'exactly_once',
          `client ${this.name} repeats sequence ${this.sequence} and is answered otherwise than before`,
        );
      }
      then();
    });
  }

  private begin(
    request: Request,
    mode: ClientReadMode,
    open: OpenOperation | undefined,
    timeout: SimTime,
    done: (answer: Answer | undefined) => void,
  ): void {
    const deadline = this.around.world.now + timeout;
    this.attempt({ open, request, mode, deadline, done, attempt: 0, mayHaveHappened: false, isOver: false });
  }

  private attempt(trying: Attempting): void {
    const { world, plan, calls } = this.around;
    if (trying.isOver) return;
    if (world.now >= trying.deadline) return this.giveUp(trying);
    const attempt = ++trying.attempt;
    const id = this.target();
    const node = world.node(id);
    if (!node.isUp) {
      // Nobody listens: the connection is refused.
      this.forget(id);
      this.retry(trying);
      return;
    }
    const ended = calls.begin(id, `a ${trying.request.kind} of client ${this.name}`, world.now);
    let isDue = true;
    const reply = (outcome: Outcome<Answer>): void => {
      ended();
      // Every attempt is in the log for ever: a late answer says as much as one in time, but nobody waits for it.
      if (!isDue || trying.isOver || trying.attempt !== attempt) return;
      isDue = false;
      this.answered(trying, id, outcome);
    };
    if (trying.request.kind === 'get') node.read(trying.request.key, trying.mode, reply);
    else node.write(trying.request, reply);
    const wait = Math.min(plan.attemptTimeout, Math.max(1, trying.deadline - world.now));
    world.at(world.now + wait, () => {
      if (!isDue || trying.isOver || trying.attempt !== attempt) return;
      isDue = false;
      this.answered(trying, id, { kind: 'unknown', reason: 'no answer' });
    });
  }

  private answered(trying: Attempting, node: NodeId, outcome: Outcome<Answer>): void {
    switch (outcome.kind) {
      case 'applied':
        this.believedLeader = node;
        this.finish(trying, outcome.answer);
        return;
      case 'rejected':
        this.forget(node);
        if (outcome.leaderHint !== undefined && this.around.world.ids.includes(outcome.leaderHint)) {
          this.believedLeader = outcome.leaderHint;
        }
        this.retry(trying);
        return;
      case 'unknown':
        this.forget(node);
        if (trying.request.kind !== 'get') trying.mayHaveHappened = true;
        if (trying.request.kind === 'get' || ('session' in trying.request && trying.request.session !== undefined))
          this.retry(trying);
        else this.giveUp(trying);
    }
  }

  private retry(trying: Attempting): void {
    const { world } = this.around;
    world.at(world.now + this.random.nextInt(1, RETRY_DELAY_MAX), () => this.attempt(trying));
  }

  private finish(trying: Attempting, answer: Answer): void {
    const { history, world } = this.around;
    trying.isOver = true;
    if (trying.open !== undefined) {
      const value = answerOf(answer);
      if (value !== undefined) history.complete(trying.open, 'ok', world.now, value);
      else this.leaveOpen(trying);
    }
    trying.done(answer);
  }

  private giveUp(trying: Attempting): void {
    const { history, world } = this.around;
    trying.isOver = true;
    if (trying.open !== undefined) {
      if (trying.mayHaveHappened) this.leaveOpen(trying);
      else history.complete(trying.open, 'fail', world.now);
    }
    trying.done(undefined);
  }

  /** A refusal of the session says nothing of earlier attempts; without one, it surely did nothing. */
  private leaveOpen({ open, mayHaveHappened }: Attempting): void {
    const { history, world } = this.around;
    history.complete(open!, mayHaveHappened ? 'info' : 'fail', world.now);
    if (mayHaveHappened) this.process = history.newProcess();
  }

  /** Whatever the mode of a read: what it shows was once written, at that revision. */
  private checkWritten(key: string, answer: Answer): void {
    if (answer.kind !== 'get' || !answer.found) return;
    const { revision, value } = answer.record;
    const written = this.around.writes.at(revision);
    if (written?.key !== key || written.value !== textOf(value)) {
      fail(
        'read_of_the_unwritten',
        `${key} is read as "${textOf(value)}" at revision ${revision}, where something else was written`,
      );
    }
    this.revisions.set(key, revision);
  }

  private target(): NodeId {
    if (this.believedLeader !== undefined && !this.chance(this.around.plan.anywhereShare)) return this.believedLeader;
    return this.anyNode();
  }

  private anyNode(): NodeId {
    const { ids } = this.around.world;
    return ids[this.random.nextInt(0, ids.length - 1)]!;
  }

  private forget(node: NodeId): void {
    if (this.believedLeader === node) this.believedLeader = undefined;
  }

  private drawKey(): string {
    const { sharedKeys } = this.around.plan;
    const kind = this.random.nextInt(0, 9);
    if (kind === 0) return `ttl${this.random.nextInt(0, 1)}`;
    if (kind <= 2) return `own-${this.name}`;
    if (kind <= 5) return `counter${this.random.nextInt(1, sharedKeys)}`;
    return `key${this.random.nextInt(1, sharedKeys)}`;
  }

  private drawCommand(session: SessionStamp | undefined): Command {
    const name = this.drawKey();
    const key = encodeText(name);
    const stamp = session === undefined ? {} : { session };
    if (name.startsWith('counter')) {
      return { kind: 'increment', key, delta: BigInt(this.random.nextInt(1, 5)), ...stamp };
    }
    const condition = this.drawCondition(name);
    if (this.chance(20)) return { kind: 'delete', key, ...condition, ...stamp };
    const ttlMs = isExpiring(name) ? this.random.nextInt(1, 2000) : 0;
    const value = encodeText(`${this.name}.${this.operations}`);
    return { kind: 'set', key, value, contentType: '', ttlMs, ...condition, ...stamp };
  }

  private drawCondition(key: string): Pick<Extract<Command, { kind: 'set' }>, 'condition'> {
    const revision = this.revisions.get(key);
    switch (this.random.nextInt(0, 6)) {
      case 0:
        return { condition: { kind: 'ifAbsent' } };
      case 1:
        return { condition: { kind: 'ifPresent' } };
      case 2:
      case 3:
        return revision === undefined || revision === 0 ? {} : { condition: { kind: 'ifRevision', revision } };
      default:
        return {};
    }
  }
}

/** Time runs otherwise for every client: what expires is compared between replicas, not between clients. */
function isExpiring(key: string): boolean {
  return key.startsWith('ttl');
}
