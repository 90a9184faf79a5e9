import { isJoint, isMember, isVoter, membersOf, type NodeId, type ReadMode } from '@app/raft';
import type { Answer } from '@app/kv';
import { checkAcknowledged } from './checks/acknowledged-writes.js';
import { Checks } from './checks/checks.js';
import { fail } from './checks/fail.js';
import { LeadershipWatch } from './checks/leadership-watch.js';
import { checkRevisionOrder } from './checks/revision-order.js';
import { checkLinearizability } from './linearizability/check-linearizability.js';
import type { HistoryEvent } from './linearizability/history.js';
import { recordModel } from './linearizability/models/record.js';
import { SimulationFailure, UNITS_PER_TICK, type SimTime } from './observer.js';
import { drawPlan } from './plan/draw-plan.js';
import type { FaultKind } from './plan/fault.js';
import { FaultInjector } from './plan/fault-injector.js';
import { MembershipGuard } from './plan/membership-guard.js';
import { areLeasesSound, nodeConfigOf, type RunPlan } from './plan/run-plan.js';
import { Client } from './workload/client.js';
import { answerOf, HistoryRecorder } from './workload/history-recorder.js';
import { RivalReader } from './workload/rival-reader.js';
import { World } from './world.js';

export interface RunOptions {
  readonly seed: number;
  /** How long there are faults, in ticks of a right clock; the plan chooses if it is left out. */
  readonly ticks?: number;
  /** Voters that the cluster begins with. */
  readonly nodes?: number;
  /** Only these; all if left out. */
  readonly faults?: readonly FaultKind[];
  /** Instead of one drawn from the seed. */
  readonly plan?: RunPlan;
  /** Gets every line of the trace. */
  readonly traceSink?: (line: string) => void;
}

export interface RunFailure {
  /** The stable name of what was violated. */
  readonly check: string;
  readonly message: string;
  readonly time: SimTime;
}

export interface RunResult {
  readonly seed: number;
  readonly plan: RunPlan;
  /** The same for the same seed and plan, in every process. */
  readonly traceHash: string;
  readonly ticks: number;
  readonly events: number;
  /** By their outcome, as the clients saw it. */
  readonly operations: { readonly ok: number; readonly fail: number; readonly info: number };
  /** Of each kind, how many have taken effect. */
  readonly faultsInjected: Readonly<Record<string, number>>;
  /** What the clients saw. */
  readonly history: readonly HistoryEvent[];
  /** The history took too many steps to be judged. */
  readonly isUndecided: boolean;
  readonly failure?: RunFailure;
}

/** Within so many election timeouts after the last fault the cluster must be itself again. */
const RECOVERY_TIMEOUTS_MAX = 60;
/** So many after the start of everything someone must have led, if nothing has gone wrong. */
const COLD_START_TIMEOUTS_MAX = 20;
/** And so much more for each entry that someone lacks. */
const CATCH_UP_PER_ENTRY = 3 * UNITS_PER_TICK;
/** For so many its term must then stand still. */
const STEADY_TIMEOUTS = 6;
/** Copies of messages come up to so much later. */
const REPLAYS_END = 100 * UNITS_PER_TICK;
const LINEARIZABILITY_STEPS_MAX = 1_000_000;

/** Runs one seed, or a given plan under that seed. Never throws for what the checks find: that is the result's `failure`. */
export function runSeed(options: RunOptions): RunResult {
  return new Run(options).run();
}

/** One run: faults and work, then healing, then proof that nothing is lost. */
class Run {
  private readonly plan: RunPlan;
  private readonly checks: Checks;
  private readonly world: World;
  private readonly guard: MembershipGuard;
  private readonly injector: FaultInjector;
  private readonly history = new HistoryRecorder();
  private readonly clients: Client[];
  private readonly last: Client;
  private readonly electionTimeout: SimTime;
  private events = 0;
  private isUndecided = false;

  constructor(private readonly options: RunOptions) {
    this.plan = options.plan ?? drawPlan(options);
    const { cluster, workload } = this.plan;
    const isLeaseChecked = areLeasesSound(this.plan);
    this.electionTimeout = cluster.config.electionTimeoutTicks * UNITS_PER_TICK;
    this.checks = new Checks({ areLeasesSound: isLeaseChecked });
    this.world = new World({
      seed: options.seed,
      voters: cluster.voters.length,
      config: cluster.config,
      configs: cluster.overrides,
      observer: this.checks,
      ...(options.traceSink && { traceSink: options.traceSink }),
    });
    const { world } = this;
    this.guard = new MembershipGuard(() => world.ids.map((id) => world.node(id)), cluster.voters);
    this.injector = new FaultInjector(world, this.guard, this.checks, cluster.checkpointEntries);
    const { history } = this;
    const { calls, writes } = this.checks;
    const around = { world, plan: workload, history, calls, writes, areLeasesSound: isLeaseChecked };
    this.clients = Array.from({ length: workload.clients }, (_, i) => new Client(`c${i + 1}`, around));
    this.last = new Client('last', { ...around, plan: { ...workload, anywhereShare: 0 } });
  }

  run(): RunResult {
    const failure = this.failureOf(() => {
      this.disturb();
      this.heal();
      this.proveFresh();
      this.proveSteady();
      this.checkReplicas('after the healing');
      const members = this.membersUp(this.injector.leader()!);
      this.checks.calls.checkEnded((id) => !members.includes(id));
      this.losePower();
      this.readEverything();
      this.checkHistory();
    });
    return {
      seed: this.options.seed,
      plan: this.plan,
      traceHash: this.world.traceHash,
      ticks: Math.floor(this.world.now / UNITS_PER_TICK),
      events: this.events,
      operations: { ...this.history.counts },
      faultsInjected: { ...this.injector.injected },
      history: this.history.events,
      isUndecided: this.isUndecided,
      ...(failure && { failure }),
    };
  }

  private failureOf(act: () => void): RunFailure | undefined {
    try {
      act();
      return undefined;
    } catch (error) {
      const { now: time } = this.world;
      if (error instanceof SimulationFailure) return { check: error.check, message: error.message, time };
      return {
        check: 'simulator',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
        time,
      };
    }
  }

  private disturb(): void {
    const { ticks, faults, cluster } = this.plan;
    const end = ticks * UNITS_PER_TICK;
    this.injector.schedule(faults);
    for (const client of this.clients) client.start();
    new RivalReader(this.world).start(end);
    this.checkColdStart();
    const all = [...cluster.voters, ...cluster.spares].map((id) => nodeConfigOf(cluster, id));
    if (all.every(({ preVote, checkQuorum }) => preVote && checkQuorum)) {
      new LeadershipWatch(this.world, this.injector, this.checks.committed, this.electionTimeout).start(end);
    }
    this.runUntil(end);
  }

  private heal(): void {
    for (const client of this.clients) client.stop();
    this.injector.heal();
    this.recover();
    // What was sent long ago may still depose a leader; and every operation finds its end.
    this.runUntil(
      Math.max(this.world.now, this.plan.ticks * UNITS_PER_TICK + REPLAYS_END + this.plan.workload.giveUpTimeout),
    );
    this.recover();
  }

  /** Every mode of operation works again. */
  private proveFresh(): void {
    const leader = this.injector.leader()!;
    const follower = this.membersUp(leader).find((id) => id !== leader) ?? leader;
    const value = `fresh`;
    const written = this.await('a fresh write', (timeout, done) => {
      this.last.writeKey('fresh', value, timeout, done);
    });
    if (written.kind !== 'set') fail('liveness', `a fresh write is answered with ${written.kind}`);
    const modes: readonly (readonly [ReadMode, NodeId])[] = [
      ['read_index', leader],
      ['read_index', follower],
      ['lease', leader],
      ['lease', follower],
    ];
    for (const [mode, node] of modes) {
      const what = `a fresh ${mode} read at ${node}`;
      const answer = this.await(what, (timeout, done) => this.last.readKey('fresh', mode, node, timeout, done));
      const isFound = answer.kind === 'get' && answer.found && answer.record.revision === written.revision;
      if (!isFound) fail('fresh_read', `${what} does not see what was written before`);
    }
  }

  /** Nobody disturbs a healthy cluster, least of all who does not belong to it any more. */
  private proveSteady(): void {
    const leader = this.injector.leader()!;
    const { currentTerm, configuration } = this.world.node(leader).state!;
    this.runUntil(this.world.now + STEADY_TIMEOUTS * this.electionTimeout);
    const now = this.world.node(leader).state;
    if (now?.currentTerm === currentTerm && now.role === 'leader') {
      this.checkImpostors(leader);
      return this.checkTold(leader);
    }
    const outsiders = this.world.ids.filter((id) => !membersOf(configuration).includes(id) || this.guard.isLost(id));
    const check = outsiders.length > 0 ? 'removed_node_disturbs' : 'leadership_unsteady';
    fail(
      check,
      `${leader} led term ${currentTerm} of a healthy cluster, ${now?.role} in term ${now?.currentTerm}; outside are ${outsiders.join()}`,
    );
  }

  /** Whoever lost its disk, and comes under its old name, is nobody. */
  private checkImpostors(leader: NodeId): void {
    const { raft, state } = this.world.node(leader);
    const { incarnations = {} } = state!.configuration;
    for (const { id, isActive } of raft!.status().members) {
      const known = incarnations[id];
      if (!isActive || known === undefined || !this.world.ids.includes(id)) continue;
      const { incarnation } = this.world.node(id);
      if (incarnation !== known) fail('impostor_believed', `${leader} listens to ${incarnation}, who is not ${known}`);
    }
  }

  /** Who believes to be a voter and has asked a member for its vote since it was removed knows better by now. */
  private checkTold(leader: NodeId): void {
    const { configuration, commitIndex } = this.world.node(leader).state!;
    for (const id of this.world.ids) {
      const { state } = this.world.node(id);
      if (state === undefined || this.guard.isLost(id) || isMember(configuration, id)) continue;
      const { configurations, expulsion } = state;
      if (expulsion !== undefined || configurations.currentIndex > commitIndex || !isVoter(configurations.current, id))
        continue;
      const asks = configurations.current.voters.some((other) => isVoter(configuration, other));
      if (asks) fail('removed_node_not_told', `${id} is no member any more, and does not know it`);
    }
  }

  /** Before anything has gone wrong someone is elected, however few draws the nodes have had. */
  private checkColdStart(): void {
    const { cluster, faults, ticks } = this.plan;
    const end = COLD_START_TIMEOUTS_MAX * this.electionTimeout;
    const isUndisturbed = faults.every(({ at }) => at > end) && end < ticks * UNITS_PER_TICK;
    if (!isUndisturbed || cluster.voters.length === 0) return;
    this.world.at(end, () => {
      if (this.checks.committed.lastIndex === 0)
        fail('liveness', `nobody leads ${COLD_START_TIMEOUTS_MAX} election timeouts after the start`);
    });
  }

  /** All at once, and nothing of what was not synced is left. */
  private losePower(): void {
    for (const id of this.world.ids) this.world.crash(id, { effects: 0, powerLoss: 'nothing' });
    this.runUntil(this.world.now + UNITS_PER_TICK);
    for (const id of this.world.ids) if (!this.world.node(id).isUp) this.world.restart(id);
    this.recover();
    this.checkReplicas('after a power loss');
  }

  private readEverything(): void {
    const keys = new Set(this.history.events.map(({ key }) => key));
    const leader = this.injector.leader()!;
    for (const key of keys) {
      const answer = this.await(`a last read of ${key}`, (timeout, done) =>
        this.last.readKey(key, 'read_index', leader, timeout, done),
      );
      checkAcknowledged(this.history.events, key, answerOf(answer) ?? null);
    }
  }

  private checkHistory(): void {
    checkRevisionOrder(this.history.events);
    const result = checkLinearizability(this.history.events, recordModel, { stepsMax: LINEARIZABILITY_STEPS_MAX });
    if (result.isLinearizable === 'unknown') this.isUndecided = true;
    else if (!result.isLinearizable) fail('linearizability', result.counterexample.explanation);
  }

  private checkReplicas(when: string): void {
    const leader = this.injector.leader()!;
    for (const id of this.membersUp(leader)) this.checks.checkState(this.world.node(id), when);
  }

  /** Waits until a leader leads and everyone who belongs to the cluster has all that it has. */
  private recover(): void {
    const end = this.world.now + RECOVERY_TIMEOUTS_MAX * this.electionTimeout + this.backlog() * CATCH_UP_PER_ENTRY;
    for (;;) {
      const obstacle = this.obstacle();
      if (obstacle === undefined) return;
      if (this.world.now >= end)
        fail('liveness', `${RECOVERY_TIMEOUTS_MAX} election timeouts after the last fault ${obstacle}`);
      this.runUntil(this.world.now + UNITS_PER_TICK);
    }
  }

  /** Entries that the one who is furthest behind has to be sent; with the smallest window they come one by one. */
  private backlog(): number {
    const applied = this.world.ids.filter((id) => !this.guard.isLost(id)).map((id) => this.world.node(id).appliedIndex);
    return Math.max(0, this.checks.committed.lastIndex - Math.min(...applied));
  }

  private obstacle(): string | undefined {
    const leader = this.injector.leader();
    if (leader === undefined) return 'nobody leads';
    const { state } = this.world.node(leader);
    if (!isVoter(state!.configuration, leader)) return `${leader} leads and is no voter`;
    if (isJoint(state!.configuration)) return `${leader} has not left a joint configuration`;
    if (state!.transfer !== undefined) return `${leader} is handing over to ${state!.transfer.to}`;
    const { lastIndex } = state!.log;
    const joining = Object.keys(state!.configuration.joining ?? {}).find((id) => this.world.ids.includes(id));
    if (joining !== undefined) return `${joining} has not become a voter by itself`;
    for (const id of membersOf(state!.configuration)) {
      if (this.guard.isLost(id) || !this.world.ids.includes(id)) continue;
      const node = this.world.node(id);
      if (node.state === undefined) return `${id} is not up`;
      if (node.appliedIndex < lastIndex) return `${id} has applied ${node.appliedIndex}, ${leader} has ${lastIndex}`;
      if (node.state.currentTerm !== state!.currentTerm) return `${id} is in another term than its leader ${leader}`;
    }
    return undefined;
  }

  private membersUp(leader: NodeId): NodeId[] {
    const { configuration } = this.world.node(leader).state!;
    return membersOf(configuration).filter((id) => !this.guard.isLost(id) && this.world.ids.includes(id));
  }

  private await(what: string, begin: (timeout: SimTime, done: (answer: Answer | undefined) => void) => void): Answer {
    const timeout = RECOVERY_TIMEOUTS_MAX * this.electionTimeout;
    let answer: Answer | undefined;
    let isDone = false;
    begin(timeout, (given) => {
      answer = given;
      isDone = true;
    });
    const end = this.world.now + timeout + this.electionTimeout;
    while (!isDone && this.world.now < end) this.runUntil(this.world.now + UNITS_PER_TICK);
    if (answer === undefined) fail('liveness', `${what} has no answer in a healthy cluster`);
    return answer;
  }

  private runUntil(time: SimTime): void {
    while (this.world.step(time)) this.events += 1;
  }
}
