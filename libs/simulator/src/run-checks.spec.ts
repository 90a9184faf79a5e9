import type { Answer } from '@app/kv';
import { EntryType, Membership, Raft } from '@app/raft';
import { WriteAheadLog } from '@app/storage';
import { textOf } from './checks/write-record.js';
import { UNITS_PER_TICK, type Outcome } from './observer.js';
import { drawPlan } from './plan/draw-plan.js';
import { nthFollower } from './plan/fault.js';
import type { RunPlan } from './plan/run-plan.js';
import { runSeed } from './run.js';
import { SimulatedNode } from './simulated-node.js';
import { checkOf } from './testing/fake-cluster.js';
import { silentObserver } from './testing/silent-observer.js';
import { World } from './world.js';

const drawn = drawPlan({ seed: 1, nodes: 3, faults: [] });

/** Three sound nodes and two clients that write and read; nothing goes wrong that a test does not do. */
function calmPlan(ticks: number, changes: Partial<RunPlan> = {}): RunPlan {
  const config = { ...drawn.cluster.config, electionTimeoutTicks: 5, heartbeatTicks: 1, preVote: true };
  return {
    ...drawn,
    ticks,
    cluster: { ...drawn.cluster, config: { ...config, checkQuorum: true, leaseTicks: 0 }, overrides: {} },
    workload: {
      ...drawn.workload,
      clients: 2,
      operationsMax: 40,
      thinkTimeMax: 2 * UNITS_PER_TICK,
      sharedKeys: 1,
      readShare: 50,
      leaseShare: 0,
      staleShare: 0,
      sessionShare: 0,
      repeatShare: 0,
    },
    faults: [],
    ...changes,
  };
}

const checkOfRun = (plan: RunPlan): string => runSeed({ seed: 1, plan }).failure?.check ?? 'nothing';

const lieIn = (outcome: Outcome<Answer>, lie: (answer: Answer) => Answer): Outcome<Answer> =>
  outcome.kind === 'applied' ? { ...outcome, answer: lie(outcome.answer) } : outcome;

/** What a class does before a test changes it. */
function original<T extends object, K extends keyof T>(prototype: T, name: K): T[K] {
  return (Object.getOwnPropertyDescriptor(prototype, name) as { value: T[K] }).value;
}

/** Nodes that work, and whose answers to reads are changed on the way to the client. */
function lieToReaders(lie: (answer: Answer, key: string) => Answer): void {
  const read = original(SimulatedNode.prototype, 'read');
  jest.spyOn(SimulatedNode.prototype, 'read').mockImplementation(function (this: SimulatedNode, key, mode, reply) {
    read.call(this, key, mode, (outcome) => reply(lieIn(outcome, (answer) => lie(answer, textOf(key)))));
  });
}

function lieToWriters(lie: (answer: Answer) => Answer): void {
  const write = original(SimulatedNode.prototype, 'write');
  jest.spyOn(SimulatedNode.prototype, 'write').mockImplementation(function (this: SimulatedNode, command, reply) {
    write.call(this, command, (outcome) => reply(lieIn(outcome, lie)));
  });
}

/** From the last fresh read on, the leader's core stands still, and its voters notice. */
function silenceLeaderAfterFreshReads(): void {
  let freshReads = 0;
  lieToReaders((answer, key) => {
    if (key === 'fresh') freshReads += 1;
    return answer;
  });
  const tick = original(Raft.prototype, 'tick');
  jest.spyOn(Raft.prototype, 'tick').mockImplementation(function (this: Raft) {
    if (freshReads < 4 || !this.isLeader) tick.call(this);
  });
}

describe('a run', () => {
  afterEach(() => jest.restoreAllMocks());

  it('finds nothing where nothing is wrong', () => {
    const { failure, operations } = runSeed({ seed: 1, plan: calmPlan(100) });
    expect(failure).toBeUndefined();
    expect(operations.ok).toBeGreaterThan(40);
  });

  it('lets no majority of the voters be kept from leading', () => {
    const quarantine = (node: string, tick: number) =>
      ({ kind: 'quarantine', at: tick * UNITS_PER_TICK, duration: 50 * UNITS_PER_TICK, node }) as const;
    const faults = [quarantine('n1', 30), quarantine('n2', 40), quarantine('n3', 90), quarantine('n1', 100)];
    const { failure, faultsInjected } = runSeed({ seed: 1, plan: calmPlan(200, { faults }) });
    expect(failure).toBeUndefined();
    expect(faultsInjected).toEqual({ quarantine: 2 });
  });

  it('linearizability: a reader is told that what was written is not there', () => {
    let lies = 0;
    lieToReaders((answer, key) => {
      const isLie = answer.kind === 'get' && answer.found && key !== 'fresh' && !key.startsWith('ttl') && lies < 3;
      if (isLie) lies += 1;
      return isLie ? { kind: 'get', found: false } : answer;
    });
    expect(checkOfRun(calmPlan(100))).toBe('linearizability');
    expect(lies).toBe(3);
  });

  it('read_of_the_unwritten: a reader is shown what nobody has written', () => {
    lieToReaders((answer) =>
      answer.kind === 'get' && answer.found
        ? { ...answer, record: { ...answer.record, value: Uint8Array.of(33) } }
        : answer,
    );
    expect(checkOfRun(calmPlan(100))).toBe('read_of_the_unwritten');
  });

  it('fresh_read: a healthy cluster does not show what was written before', () => {
    lieToReaders((answer, key) => (key === 'fresh' ? { kind: 'get', found: false } : answer));
    expect(checkOfRun(calmPlan(20))).toBe('fresh_read');
  });

  it('acknowledged_write_lost: the last read does not show what a client was told', () => {
    lieToReaders((answer, key) => (key.startsWith('counter') ? { kind: 'get', found: false } : answer));
    const { workload } = calmPlan(100);
    expect(checkOfRun(calmPlan(100, { workload: { ...workload, readShare: 0 } }))).toBe('acknowledged_write_lost');
  });

  it('exactly_once: a session is answered otherwise when it repeats itself', () => {
    let answers = 0;
    lieToWriters((answer) =>
      answer.kind === 'increment' ? { ...answer, revision: answer.revision + 1000 * ++answers } : answer,
    );
    const { workload } = calmPlan(100);
    const sessions = { ...workload, readShare: 0, sessionShare: 100, repeatShare: 100 };
    expect(checkOfRun(calmPlan(100, { workload: sessions }))).toBe('exactly_once');
  });

  it('revision_order: all writes are told the same revision', () => {
    lieToWriters((answer) => (answer.kind === 'increment' ? { ...answer, revision: 1 } : answer));
    expect(checkOfRun(calmPlan(100))).toBe('revision_order');
  });

  it('liveness: after the faults nobody leads', () => {
    jest.spyOn(Raft.prototype, 'tick').mockImplementation(() => undefined);
    expect(checkOfRun(calmPlan(20))).toBe('liveness');
  });

  it('leadership_moves: nobody leads for long, though everyone is well', () => {
    jest.spyOn(Raft.prototype, 'tick').mockImplementation(() => undefined);
    // With no fault at all, less time is enough to say so.
    const checkpoint = { kind: 'checkpoint', at: 0, duration: 0, node: 'n1' } as const;
    expect(checkOfRun(calmPlan(400, { faults: [checkpoint] }))).toBe('leadership_moves');
  });

  it('leadership_unsteady: a healthy cluster changes its leader', () => {
    silenceLeaderAfterFreshReads();
    expect(checkOfRun(calmPlan(20))).toBe('leadership_unsteady');
  });

  it('removed_node_disturbs: a cluster that someone has left changes its leader', () => {
    silenceLeaderAfterFreshReads();
    const remove = { kind: 'remove', at: 60 * UNITS_PER_TICK, duration: 0, node: 'n4' } as const;
    const { cluster } = calmPlan(100);
    const voters = ['n1', 'n2', 'n3', 'n4'];
    const ofFour = calmPlan(100, { cluster: { ...cluster, voters, spares: [] }, faults: [remove] });
    expect(checkOfRun(ofFour)).toBe('removed_node_disturbs');
  });

  it('removed_node_not_told: it never sees its removal, and what it is told of it is lost', () => {
    const step = original(Raft.prototype, 'step');
    jest.spyOn(Raft.prototype, 'step').mockImplementation(function (this: Raft, message, incarnation) {
      const tellsIt =
        message.to === 'n4' &&
        (message.type === 'MembershipNotice' ||
          (message.type === 'AppendEntries' && message.entries.some(({ type }) => type === EntryType.Configuration)));
      return tellsIt ? false : step.call(this, message, incarnation);
    });
    const remove = { kind: 'remove', at: 60 * UNITS_PER_TICK, duration: 0, node: 'n4' } as const;
    const { cluster } = calmPlan(100);
    const ofFour = { ...cluster, voters: ['n1', 'n2', 'n3', 'n4'], spares: [] };
    expect(checkOfRun(calmPlan(100, { cluster: ofFour, faults: [remove] }))).toBe('removed_node_not_told');
  });

  it('impostor_believed: nobody asks with which disk a member comes', () => {
    const admits = original(Membership.prototype, 'admits');
    jest.spyOn(Membership.prototype, 'admits').mockImplementation(function (this: Membership, ...message) {
      return admits.apply(this, message) || true;
    });
    const wipe = { kind: 'wipe', at: 80 * UNITS_PER_TICK, duration: UNITS_PER_TICK, node: nthFollower(1) } as const;
    expect(checkOfRun(calmPlan(150, { faults: [wipe] }))).toBe('impostor_believed');
  });

  it('operation_ends: a write is never answered', () => {
    const write = original(SimulatedNode.prototype, 'write');
    jest.spyOn(SimulatedNode.prototype, 'write').mockImplementation(function (this: SimulatedNode, command, reply) {
      if ('key' in command && textOf(command.key) === 'fresh') write.call(this, command, reply);
    });
    expect(checkOfRun(calmPlan(50))).toBe('operation_ends');
  });
});

describe('a process', () => {
  afterEach(() => jest.restoreAllMocks());

  const ledWorld = () => {
    const world = new World({ seed: 5, voters: 3, observer: silentObserver });
    const leader = () => world.ids.find((id) => world.node(id).raft?.isLeader);
    for (let tick = 0; tick < 200 && leader() === undefined; tick++) world.runUntil(world.now + UNITS_PER_TICK);
    world.runUntil(world.now + 20 * UNITS_PER_TICK);
    return { world, follower: world.ids.find((id) => id !== leader())!, leader: leader()! };
  };
  const passes = (world: World) => () => world.runUntil(world.now + 50 * UNITS_PER_TICK);

  it('recovery: its log is gone, and the state that was made of it is not', () => {
    const { world, follower } = ledWorld();
    world.checkpoint(follower);
    world.runUntil(world.now + 20 * UNITS_PER_TICK);
    world.crash(follower, { effects: 0 });
    world.node(follower).disk.wipe();
    world.restart(follower);
    expect(checkOf(passes(world))).toBe('recovery');
  });

  it('recovery: what nobody has damaged looks like damage', () => {
    const { world, follower, leader } = ledWorld();
    for (let i = 0; i < 30; i++) {
      const value = new Uint8Array(50);
      world
        .node(leader)
        .write({ kind: 'set', key: Uint8Array.of(i), value, contentType: '', ttlMs: 0 }, () => undefined);
      world.runUntil(world.now + UNITS_PER_TICK);
    }
    world.crash(follower, { effects: 0, powerLoss: 'nothing' });
    expect(world.node(follower).disk.flipBit()).toBe(true);
    world.restart(follower);
    expect(checkOf(passes(world))).toBe('recovery');
  });

  it('disk: its log fails on a disk that does not', () => {
    const { world } = ledWorld();
    jest.spyOn(WriteAheadLog.prototype, 'append').mockImplementation((_, done) => done(new Error('no')));
    world.crash(world.ids[0]!, { effects: 0 });
    world.restart(world.ids[0]!);
    world.crash(world.ids[1]!, { effects: 0 });
    world.restart(world.ids[1]!);
    expect(checkOf(passes(world))).toBe('disk');
  });

  it('driver: its core asks for a snapshot that never came', () => {
    const { world, follower, leader } = ledWorld();
    const { term, configuration } = world.node(leader).raft!.status();
    world.node(follower).receive(
      {
        type: 'InstallSnapshot',
        from: leader,
        to: follower,
        term,
        snapshot: { index: 100, term, configuration: { index: 0, configuration } },
      },
      world.node(leader).incarnation,
    );
    expect(checkOf(passes(world))).toBe('driver');
  });

  it('invariant_violation: its core finds itself broken', () => {
    const { world } = ledWorld();
    jest.spyOn(Raft.prototype, 'tick').mockImplementation(() => {
      throw new RangeError('broken');
    });
    expect(checkOf(passes(world))).toBe('invariant_violation');
  });
});
