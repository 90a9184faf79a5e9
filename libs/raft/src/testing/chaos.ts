import { isJoint, isMember, simpleConfiguration, type Configuration } from '../configuration.js';
import type { MembershipChange } from '../membership-change.js';
import type { Message } from '../messages.js';
import type { RaftConfig } from '../raft-config.js';
import type { Random } from '../random.js';
import { seededRandom, TestGroup } from './group.js';
import { show } from './node.js';

/**
 * One thing that happens to a group. A list of them is a run: it does not depend on any chance, so it can be replayed
 * and shortened. Messages go by the order in which they were sent; an action that makes no sense any more does nothing.
 */
export type Action =
  /** With leases everyone's clock ticks at once: they are unsound beyond a stated difference. */
  | readonly ['tick', node: string]
  | readonly ['deliver' | 'repeat' | 'drop', message: number]
  | readonly ['cut' | 'mend', from: string, to: string]
  | readonly ['isolate', node: string]
  | readonly ['mend all']
  | readonly ['crash', node: string, recordsKept: number]
  | readonly ['restart', node: string, appliedLost: number]
  | readonly ['slow disk' | 'fast disk' | 'sync' | 'slow apply' | 'fast apply' | 'read', node: string]
  | readonly ['fetched', node: string, isReadable: boolean]
  | readonly ['checkpoint' | 'slow transfers' | 'fast transfers' | 'begin transfer', node: string]
  | readonly ['end transfer', node: string, isDelivered: boolean]
  | readonly ['lease read', node: string]
  | readonly ['propose', node: string, texts: readonly string[]]
  | readonly ['change', node: string, change: MembershipChange]
  | readonly ['transfer', node: string, to: string]
  | readonly ['unreachable' | 'disconnected', node: string, other: string];

export interface ChaosSetting {
  readonly seed: number;
  readonly size: number;
}

/** Everything small, so that every bound is met within a few dozen steps. */
const chaosConfig = {
  electionTimeoutTicks: 6,
  appendBytesMax: 80,
  inflightMessagesMax: 3,
  inflightBytesMax: 200,
  uncommittedBytesMax: 300,
  pendingReadsMax: 4,
  applyBytesMax: 100,
  cacheBytesMax: 150,
} satisfies Partial<RaftConfig>;

/** With one tick between heartbeats none of them is ever spared for entries. */
const HEARTBEAT_TICKS_MAX = 2;

/** Run beside the members from the beginning, and wait to be added. */
const spareIds = ['x', 'y'];

/** A leader must appear, and everyone must agree, within so many election timeouts after the last fault. */
const RECOVERY_TIMEOUTS_MAX = 20;

/** After so many, everyone knows who is a member, and for so many nothing may change. */
const PEACE_TIMEOUTS = 8;

/** A group to which actions happen, and its recovery once they stop. */
export class ChaosRun {
  readonly group: TestGroup;
  /** Messages on their way, by the order in which they were sent. */
  readonly flying = new Map<number, Message>();
  private readonly hasLeases: boolean;
  private sentCount = 0;
  private readonly proposals: { readonly index: number; readonly term: number; readonly texts: readonly string[] }[] =
    [];

  constructor({ seed, size }: ChaosSetting) {
    const random = seededRandom(seed);
    const flags = (): Partial<RaftConfig> => ({
      preVote: random.nextInt(0, 3) > 0,
      checkQuorum: random.nextInt(0, 3) > 0,
    });
    const ids = [...'abcde'.slice(0, size)];
    const hasIncarnations = random.nextInt(0, 1) === 0;
    const incarnation = (id: string): Partial<RaftConfig> => (hasIncarnations ? { incarnation: `${id}-1` } : {});
    // In one run out of four the nodes do not even agree on their flags.
    const areFlagsEqual = random.nextInt(0, 3) > 0;
    const special = (id: string) => [id, { ...(areFlagsEqual ? {} : flags()), ...incarnation(id) }] as const;
    const configs = Object.fromEntries(ids.map(special));
    const configuration = drawConfiguration(ids, random);
    this.hasLeases = random.nextInt(0, 3) === 0;
    const config = {
      ...chaosConfig,
      heartbeatTicks: 1 + (seed % HEARTBEAT_TICKS_MAX),
      ...flags(),
      retainedEntries: random.nextInt(0, 3),
      leaseTicks: this.hasLeases ? random.nextInt(1, 3) : 0,
    };
    this.group = new TestGroup(ids, { seed, config, configs, configuration });
    if (random.nextInt(0, 1) === 0) for (const id of spareIds) this.group.add(id, incarnation(id));
  }

  perform(action: Action): void {
    const { group } = this;
    const [kind, subject] = action;
    switch (kind) {
      case 'deliver':
      case 'repeat':
      case 'drop': {
        const message = this.flying.get(subject);
        if (message === undefined) return;
        if (kind !== 'repeat') this.flying.delete(subject);
        if (kind !== 'drop') group.hand(message);
        break;
      }
      case 'cut':
        group.cutOneWay(subject, action[2]);
        return;
      case 'mend':
        group.heal(subject, action[2]);
        return;
      case 'isolate':
        group.isolate(subject);
        return;
      case 'mend all':
        group.heal();
        return;
      case 'restart':
        if (group.node(subject).isUp) return;
        group.restart(subject, Math.max(0, group.node(subject).applied.length - action[2]));
        break;
      default:
        if (!group.node(subject).isUp) return;
        this.performOn(action);
    }
    this.settle();
  }

  /** Ends every fault and checks that the group comes back to life: nothing is lost, nothing waits for ever. */
  recover(): void {
    const { group } = this;
    group.heal();
    for (const [id, node] of group.nodes) {
      if (!node.isUp) group.restart(id);
      this.perform(['fast disk', id]);
      this.perform(['fast apply', id]);
      this.perform(['fast transfers', id]);
    }
    group.network.push(...this.flying.values());
    this.flying.clear();
    // The old messages first: one of them may depose the present leader.
    group.stabilize();
    const ticksMax = RECOVERY_TIMEOUTS_MAX * chaosConfig.electionTimeoutTicks;
    group.tickUntil(() => this.isAgreed(), ticksMax);
    const leader = group.leader!;
    const proposed = group.propose(leader.id, 'last');
    const read = group.read(leader.id);
    group.tick(2 * HEARTBEAT_TICKS_MAX);
    if (!proposed.accepted || leader.applied.length < proposed.index) throw new Error('a last proposal is not applied');
    if (group.outcomeOf(read) !== 'confirmed') throw new Error(`a last read ends with ${group.outcomeOf(read)}`);
    if (!this.isAgreed()) throw new Error('the group does not agree after a last proposal');
    for (const { index, term, texts } of this.proposals) {
      const applied = leader.applied.slice(index - 1, index - 1 + texts.length).filter((entry) => entry.term === term);
      const isAsStated = applied.every((entry, i) => show(entry) === `${term}:${texts[i]!}`);
      if (!isAsStated)
        throw new Error(`${texts.join()} was accepted at ${index}, there is ${applied.map(show).join()}`);
    }
    // A follower gives up a read whose request was lost after an election timeout, and then those that waited behind it.
    group.tick(2 * chaosConfig.electionTimeoutTicks + 1);
    for (const [context, { outcome }] of group.invariants.reads) {
      if (outcome === 'pending') throw new Error(`read ${context} never ended`);
    }
    this.checkPeace();
  }

  /** Whoever is no member any more learns of it, and lets the others be; whoever is one may lead. */
  private checkPeace(): void {
    const { group } = this;
    group.tick(PEACE_TIMEOUTS * chaosConfig.electionTimeoutTicks);
    group.tickUntil(() => this.isAgreed(), RECOVERY_TIMEOUTS_MAX * chaosConfig.electionTimeoutTicks);
    const { configuration } = group.leader!.state;
    const { length } = group.sent;
    group.tick(PEACE_TIMEOUTS * chaosConfig.electionTimeoutTicks);
    const candidate = group.sent.slice(length).find(({ type }) => type === 'RequestVote')?.from;
    if (candidate !== undefined) throw new Error(`${candidate} campaigns, though nothing happens`);
    const expelled = [...group.nodes.values()].find(
      ({ id, state }) => state.expulsion !== undefined && isMember(configuration, id),
    );
    if (expelled !== undefined) throw new Error(`${expelled.id} is a member, and believes to be expelled`);
  }

  private performOn(
    action: Exclude<Action, readonly ['deliver' | 'repeat' | 'drop', number] | readonly ['mend all']>,
  ): void {
    const [kind, id] = action;
    const node = this.group.node(id);
    switch (kind) {
      case 'tick':
        for (const each of this.hasLeases ? this.group.nodes.values() : [node]) if (each.isUp) each.raft.tick();
        break;
      case 'crash':
        this.group.crash(id, action[2]);
        break;
      case 'slow disk':
        node.isDiskSlow = true;
        break;
      case 'fast disk':
        node.isDiskSlow = false;
        if (node.writing !== undefined) node.completePersist();
        while (node.fetches.length > 0) node.completeFetch();
        break;
      case 'sync':
        if (node.writing !== undefined) node.completePersist();
        break;
      case 'fetched':
        if (node.fetches.length > 0) node.completeFetch(action[2]);
        break;
      case 'slow apply':
        node.isApplySlow = true;
        break;
      case 'fast apply':
        node.isApplySlow = false;
        break;
      case 'propose': {
        const result = this.group.propose(id, ...action[2]);
        if (result.accepted) this.proposals.push({ ...result, texts: action[2] });
        break;
      }
      case 'read':
        this.group.read(id);
        break;
      case 'lease read':
        this.group.read(id, 'lease');
        break;
      case 'checkpoint':
        node.checkpoint();
        break;
      case 'slow transfers':
        node.areTransfersSlow = true;
        break;
      case 'fast transfers':
        node.areTransfersSlow = false;
        while (node.requests.length > 0) node.startTransfer();
        while (node.transfers.length > 0) node.endTransfer(true);
        break;
      case 'begin transfer':
        if (node.requests.length > 0) node.startTransfer();
        break;
      case 'end transfer':
        node.endTransfer(action[2]);
        break;
      case 'change':
        node.raft.proposeChange(action[2]);
        break;
      case 'transfer':
        node.raft.transferLeadership(action[2]);
        break;
      case 'unreachable':
        node.raft.reportUnreachable(action[2]);
        break;
      case 'disconnected':
        node.raft.reportDisconnected(action[2]);
        break;
    }
  }

  private settle(): void {
    this.group.pump();
    for (const message of this.group.network.splice(0)) this.flying.set(this.sentCount++, message);
  }

  private isAgreed(): boolean {
    const nodes = [...this.group.nodes.values()];
    const { leader } = this.group;
    if (leader === undefined || this.group.leaders.length > 1) return false;
    const log = leader.log.join(' ');
    const { configuration } = leader.state;
    if (isJoint(configuration) || leader.state.transfer !== undefined) return false;
    const members = nodes.filter((node) => isMember(configuration, node.id));
    return members.every((node) => node.applied.length === leader.state.log.lastIndex && node.log.join(' ') === log);
  }
}

/** Mostly all are voters; sometimes the last one learns, or the cluster is on its way from one half to the other. */
function drawConfiguration(ids: readonly string[], random: Random): Configuration {
  const kind = random.nextInt(0, 9);
  if (kind === 0) return { voters: ids.slice(0, -1), outgoingVoters: [], learners: ids.slice(-1) };
  if (kind === 1) return { voters: ids.slice(0, -1), outgoingVoters: ids.slice(1), learners: [] };
  return simpleConfiguration(ids);
}

/** Something that makes sense in this configuration, at least in part of the cases. */
function drawChange(configuration: Configuration, ids: readonly string[], random: Random): MembershipChange {
  const pick = (among: readonly string[], countMax: number) => {
    const left = [...among];
    const count = Math.min(left.length, random.nextInt(1, countMax));
    return Array.from({ length: count }, () => left.splice(random.nextInt(0, left.length - 1), 1)[0]!);
  };
  const { voters, learners } = configuration;
  const addLearners = pick(
    ids.filter((id) => !isMember(configuration, id)),
    2,
  );
  const promote = pick(learners, 2);
  switch (random.nextInt(0, 5)) {
    case 0:
    case 1:
      return { addLearners };
    case 2:
    case 3:
      return { promote };
    case 4:
      return { remove: pick(random.nextInt(0, 3) > 0 ? voters : [...voters, ...learners], 2) };
    default:
      return { addLearners, promote, remove: pick(voters, promote.length + 1) };
  }
}

/** Which faults a run has, and how often: a random subset, so that each has runs in which nothing else disturbs it. */
class Schedule {
  private readonly weights: [weight: number, draw: (run: ChaosRun) => Action | undefined][];
  private proposalCount = 0;

  constructor(
    private readonly random: Random,
    ids: readonly string[],
  ) {
    const among = (choices: readonly string[]) => choices[random.nextInt(0, choices.length - 1)]!;
    const node = () => among(ids);
    const others = (id: string) => ids.filter((other) => other !== id);
    const link = (): [string, string] => {
      const from = node();
      return [from, among(others(from))];
    };
    const chance = (percent: number) => random.nextInt(1, 100) <= percent;
    const isReordering = chance(50);
    const message = (run: ChaosRun) => {
      const keys = [...run.flying.keys()];
      return keys[isReordering && chance(40) ? random.nextInt(0, keys.length - 1) : 0];
    };
    // Also one that does not know yet that it is deposed.
    const leaderOrAny = (run: ChaosRun, percent: number) => {
      const { leaders } = run.group;
      return leaders.length > 0 && chance(percent) ? among(leaders) : node();
    };
    const onMessage = (kind: 'deliver' | 'repeat' | 'drop') => (run: ChaosRun) => {
      const key = message(run);
      return key === undefined ? undefined : ([kind, key] as const);
    };
    // A node whose clock is slow, or stands still, leads on long after the others have given it up.
    const slowClockPercent = chance(50) ? random.nextInt(50, 100) : 0;
    const slowNode = node();
    const clock = () => (chance(slowClockPercent) ? among(others(slowNode)) : node());
    const sometimes = (weight: number) => (chance(50) ? weight : 0);
    const [crashes, slowDisks, slowApply, cuts, isolations] = [
      sometimes(4),
      sometimes(6),
      sometimes(2),
      sometimes(4),
      sometimes(4),
    ];
    const changes = sometimes(8);
    const transfers = sometimes(4);
    const [checkpoints, slowTransfers] = [sometimes(random.nextInt(5, 30)), sometimes(10)];
    this.weights = [
      [checkpoints, () => ['checkpoint', node()]],
      [checkpoints && slowTransfers, () => [chance(70) ? 'slow transfers' : 'fast transfers', node()]],
      [checkpoints && slowTransfers, (run) => ['begin transfer', leaderOrAny(run, 80)]],
      [checkpoints && slowTransfers, (run) => ['end transfer', leaderOrAny(run, 80), chance(60)]],
      [random.nextInt(2, 20), (run) => ['lease read', leaderOrAny(run, 80)]],
      [changes, (run) => this.drawChange(run, leaderOrAny(run, 95))],
      [transfers, (run) => ['transfer', leaderOrAny(run, 95), node()]],
      [random.nextInt(60, 200), onMessage('deliver')],
      [random.nextInt(20, 80), () => ['tick', clock()]],
      [random.nextInt(5, 40), (run) => ['propose', leaderOrAny(run, 80), this.texts()]],
      [random.nextInt(2, 20), (run) => ['read', leaderOrAny(run, 80)]],
      // While two nodes lead, only one of them may answer.
      [40, (run) => (run.group.leaders.length > 1 ? ['read', among(run.group.leaders)] : undefined)],
      [sometimes(20), onMessage('repeat')],
      [sometimes(20), onMessage('drop')],
      [cuts, () => ['cut', ...link()]],
      [cuts && random.nextInt(2, 8), () => ['mend', ...link()]],
      [isolations, (run) => ['isolate', leaderOrAny(run, 50)]],
      [isolations && random.nextInt(1, 8), () => ['mend all']],
      [crashes, (run) => ['crash', leaderOrAny(run, 30), random.nextInt(0, 3)]],
      [crashes * 3, () => ['restart', node(), random.nextInt(0, 2)]],
      [slowDisks, () => ['slow disk', node()]],
      [slowDisks, () => ['fast disk', node()]],
      [slowDisks * 4, () => ['sync', node()]],
      [slowDisks, () => ['fetched', node(), chance(80)]],
      [slowApply, () => ['slow apply', node()]],
      [slowApply, () => ['fast apply', node()]],
      [sometimes(3), () => ['unreachable', ...link()]],
      [sometimes(3), () => ['disconnected', ...link()]],
    ];
  }

  next(run: ChaosRun): Action {
    const total = this.weights.reduce((sum, [weight]) => sum + weight, 0);
    for (;;) {
      let at = this.random.nextInt(1, total);
      for (const [weight, draw] of this.weights) {
        at -= weight;
        if (at > 0) continue;
        const action = draw(run);
        if (action !== undefined) return action;
        break;
      }
    }
  }

  private drawChange({ group }: ChaosRun, id: string): Action {
    return ['change', id, drawChange(group.node(id).state.configuration, group.ids, this.random)];
  }

  private texts(): string[] {
    return Array.from({ length: this.random.nextInt(1, 3) }, () => `${++this.proposalCount}`);
  }
}

/** Runs one seed for so many steps, then its recovery. Throws, with everything that is needed to see it again, when it fails. */
export function runSeed(setting: ChaosSetting, steps: number): ChaosRun {
  const run = new ChaosRun(setting);
  const schedule = new Schedule(seededRandom(setting.seed + 1_000_000), run.group.ids);
  const actions: Action[] = [];
  try {
    for (let step = 0; step < steps; step++) {
      const action = schedule.next(run);
      actions.push(action);
      run.perform(action);
    }
    run.recover();
  } catch (error) {
    throw report(setting, actions, error);
  }
  return run;
}

/** Performs given actions instead of drawn ones; the error that it ends with, if any. */
export function replay(setting: ChaosSetting, actions: readonly Action[]): unknown {
  const run = new ChaosRun(setting);
  try {
    for (const action of actions) run.perform(action);
    run.recover();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Leaves out, in ever smaller pieces, what the failure does not need. */
function shorten(setting: ChaosSetting, actions: readonly Action[]): readonly Action[] {
  let shortest = actions;
  for (let size = shortest.length >> 1, replaysLeft = 2000; size >= 1; size >>= 1) {
    for (let at = 0; at < shortest.length && replaysLeft > 0; replaysLeft--) {
      const shorter = [...shortest.slice(0, at), ...shortest.slice(at + size)];
      if (replay(setting, shorter) === undefined) at += size;
      else shortest = shorter;
    }
  }
  return shortest;
}

function report(setting: ChaosSetting, actions: readonly Action[], error: unknown): Error {
  const shortest = shorten(setting, actions);
  const lines = shortest.map((action) => `  ${JSON.stringify(action)},`);
  const message = error instanceof Error ? error.message : String(error);
  return new Error(
    [
      `seed ${setting.seed} with ${setting.size} nodes: ${message}`,
      `replay(${JSON.stringify(setting)}, [`,
      ...lines,
      '])',
    ].join('\n'),
    { cause: error },
  );
}
