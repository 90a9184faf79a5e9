import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { StateMachine, type StateHashes } from '@app/kv';
import { LOG, type Log } from '@app/platform';
import { Raft, membersOf, type LogIndex, type NodeId } from '@app/raft';
import { NodeCondition } from '../condition/node-condition.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { ConsistencyClient } from './consistency-client.js';
import { Quarantine } from './quarantine.js';
import { compareStates, describe, type Camp, type Verdict } from './state-comparison.js';

/** Heartbeats after which a member has normally applied what the leader has. */
const SETTLE_HEARTBEATS = 3;

/** How a comparison can end: `incomplete` is one in which nobody differs, and somebody did not answer. */
export type CheckResult = 'equal' | 'incomplete' | 'outvoted' | 'undecided';

/**
 * On the leader: compares the states of all members in the background, at an entry that they all should have applied. Who is outvoted by a
 * majority is sent into quarantine, this node included. Where no majority agrees, people are told and nothing is done.
 */
@Injectable()
export class ConsistencyCheck implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private running: Promise<void> = Promise.resolve();
  /** Members that are known to differ, so that each is reported once. */
  private readonly differing = new Set<NodeId>();
  private undecidedReason: string | undefined;
  /** Members of the last comparison in which no majority agreed. It counts until one in which a majority agrees, or all of them do. */
  private disputing: readonly NodeId[] = [];
  /** Since the process started. */
  readonly counts: Readonly<Record<CheckResult, number>> & Record<CheckResult, number> = {
    equal: 0,
    incomplete: 0,
    outvoted: 0,
    undecided: 0,
  };

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly raft: Raft,
    private readonly stateMachine: StateMachine,
    private readonly client: ConsistencyClient,
    private readonly quarantine: Quarantine,
    private readonly condition: NodeCondition,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.consistencyCheckMs > 0) this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  /** Members whose state differs from that of the majority, as this leader saw it last. */
  get differingIds(): readonly NodeId[] {
    return [...this.differing];
  }

  /** Why nobody can tell which members are right, as this leader saw it last; undefined while that is not so. */
  get undecided(): string | undefined {
    return this.undecidedReason;
  }

  /** One comparison; undefined if there is nothing to compare, or if the leadership was lost before it ended. Never rejects. */
  async check(): Promise<CheckResult | undefined> {
    const { hashTrail } = this.stateMachine;
    const index = hashTrail.lastIndex;
    const own = hashTrail.at(index);
    if (!this.raft.isLeader || index === 0 || own === undefined) return this.forget();
    await this.pause(SETTLE_HEARTBEATS * this.config.heartbeatMs);
    const { id, term, configuration } = this.raft.status();
    const members = membersOf(configuration);
    const answers = new Map<NodeId, StateHashes>([[id, own]]);
    await Promise.all(
      members.map(async (member) => {
        if (member === id || this.stopped.signal.aborted) return;
        const hashes = await this.client.stateHashOf(member, term, index);
        if (hashes !== undefined) answers.set(member, hashes);
      }),
    );
    const now = this.raft.status();
    if (now.role !== 'leader' || now.term !== term || this.stopped.signal.aborted) return this.forget();
    const verdict = compareStates(configuration, answers);
    this.judgeOwn(members, verdict);
    this.note(index, members, verdict);
    if (verdict.kind === 'outvoted') await this.send(index, term, verdict.majority, verdict.odd);
    const result = verdict.kind === 'equal' && verdict.missing.length > 0 ? 'incomplete' : verdict.kind;
    this.counts[result] += 1;
    return result;
  }

  private async run(): Promise<void> {
    for (;;) {
      await this.pause(this.config.consistencyCheckMs);
      if (this.stopped.signal.aborted) return;
      await this.check();
    }
  }

  /** What a node knows that does not lead is stale. */
  private forget(): undefined {
    this.differing.clear();
    this.undecidedReason = undefined;
  }

  /** Who does not answer any more has not agreed: a dispute is not over because one side is gone. */
  private judgeOwn(members: readonly NodeId[], verdict: Verdict): void {
    if (verdict.kind === 'undecided') this.disputing = verdict.camps.flatMap(({ ids }) => ids);
    else if (verdict.kind === 'outvoted') this.disputing = [];
    else if (this.disputing.every((id) => verdict.agreeing.includes(id) || !members.includes(id))) this.disputing = [];
    this.condition.doubtState(this.disputing.length > 0);
  }

  private note(index: LogIndex, members: readonly NodeId[], verdict: Verdict): void {
    let agreeing: readonly NodeId[] = [];
    if (verdict.kind === 'equal') agreeing = verdict.agreeing;
    if (verdict.kind === 'outvoted') {
      agreeing = verdict.majority.ids;
      const expected = describe(verdict.majority.hashes);
      for (const { hashes, ids } of verdict.odd) {
        const newlyOdd = ids.filter((member) => !this.differing.has(member));
        if (newlyOdd.length === 0) continue;
        for (const member of newlyOdd) this.differing.add(member);
        const fields = { index, members: newlyOdd, found: describe(hashes), expected, agreeing };
        this.log.error(fields, 'members have diverged');
      }
    }
    const wasUndecided = this.undecidedReason !== undefined;
    this.undecidedReason = verdict.kind === 'undecided' ? disagreement(index, verdict.camps) : undefined;
    if (this.undecidedReason !== undefined && !wasUndecided) {
      this.log.error({ index, reason: this.undecidedReason }, 'members have diverged, and no majority agrees');
    }
    for (const member of this.differing) {
      // One that did not answer this time may still differ.
      if (agreeing.includes(member)) this.log.info({ index, member }, 'a member that had diverged agrees again');
      else if (members.includes(member)) continue;
      this.differing.delete(member);
    }
  }

  private async send(index: LogIndex, term: number, majority: Camp, odd: readonly Camp[]): Promise<void> {
    const self = this.raft.status().id;
    const ids = odd.flatMap((camp) => camp.ids);
    // In force at once: this node may be the leader whose state the others are sent.
    const own = odd.find((camp) => camp.ids.includes(self));
    const entered = own && this.quarantine.enter(divergence(index, majority.hashes, own.hashes, majority.ids));
    await Promise.all([
      entered,
      ...ids.map(async (member) => {
        if (member === self) return;
        const isDone = await this.client.quarantine(member, term, index, majority.hashes, majority.ids);
        if (!isDone) this.log.warn({ index, member }, 'a member that has diverged did not confirm its quarantine');
      }),
    ]);
  }

  private async pause(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.stopped.signal, ref: false });
    } catch {
      // Stopped.
    }
  }
}

/** Why a node goes into quarantine, for people. */
export function divergence(
  index: LogIndex,
  expected: StateHashes,
  found: StateHashes,
  agreeing: readonly NodeId[],
): string {
  return (
    `after entry ${index} the state of this node has ${describe(found)}, but a majority (${agreeing.join(', ')}) has ` +
    describe(expected)
  );
}

function disagreement(index: LogIndex, camps: readonly Camp[]): string {
  const parts = camps.map(({ hashes, ids }) => `${ids.join(', ')} with ${describe(hashes)}`);
  return `after entry ${index} the members have different states, and no majority agrees: ${parts.join('; ')}`;
}
