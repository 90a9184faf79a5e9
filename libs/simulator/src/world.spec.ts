import type { Answer, Request } from '@app/kv';
import {
  SimulationFailure,
  UNITS_PER_TICK,
  type ObservedNode,
  type OperatorCommand,
  type Outcome,
} from './observer.js';
import { silentObserver } from './testing/silent-observer.js';
import { World } from './world.js';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const set = (key: string, value: string): Request => ({
  kind: 'set',
  key: bytes(key),
  value: bytes(value),
  contentType: '',
  ttlMs: 0,
});

const leaderOf = (world: World): string | undefined =>
  world.ids
    .filter((id) => world.node(id).raft?.isLeader)
    .sort((a, b) => world.node(b).state!.currentTerm - world.node(a).state!.currentTerm)[0];

function runUntil(world: World, condition: () => boolean, ticksMax = 2000): void {
  const end = world.now + ticksMax * UNITS_PER_TICK;
  while (!condition()) {
    if (world.now >= end) throw new Error(`not reached within ${ticksMax} ticks`);
    world.runUntil(world.now + 1);
  }
}

/** Writes until one is applied, wherever the leader is. */
function write(world: World, key: string, value: string): void {
  let isApplied = false;
  for (let attempt = 0; !isApplied && attempt < 50; attempt++) {
    runUntil(world, () => leaderOf(world) !== undefined);
    let outcome: Outcome<unknown> | undefined;
    const end = world.now + 30 * UNITS_PER_TICK;
    world.node(leaderOf(world)!).write(set(key, value), (given) => (outcome = given));
    while (outcome === undefined && world.now < end) world.runUntil(world.now + 1);
    isApplied = outcome?.kind === 'applied';
    if (!isApplied) world.runUntil(world.now + UNITS_PER_TICK);
  }
  if (!isApplied) throw new Error('the write was not applied');
}

function operate(world: World, command: OperatorCommand): void {
  let last: Outcome<unknown> | undefined;
  for (let attempt = 0; attempt < 50; attempt++) {
    runUntil(world, () => leaderOf(world) !== undefined);
    let outcome: Outcome<unknown> | undefined;
    world.node(leaderOf(world)!).operate(command, (given) => (outcome = given));
    runUntil(world, () => outcome !== undefined);
    last = outcome;
    if (last?.kind === 'applied') return;
    world.runUntil(world.now + 10 * UNITS_PER_TICK);
  }
  throw new Error(`${command.kind} ended as ${JSON.stringify(last)}`);
}

const rowsOf = (world: World, id: string): string =>
  [...world.node(id).stateRows()].map(({ key, value }) => `${[...key].join()}=${[...value].join()}`).join(';');

function expectEqualStates(world: World): void {
  runUntil(world, () => new Set(world.ids.map((id) => world.node(id).appliedIndex)).size === 1);
  expect(new Set(world.ids.map((id) => rowsOf(world, id))).size).toBe(1);
}

/** A node that was down while so much was written that it needs the state starts again. */
function worldWithFollowerBehind(writes: number, observer = silentObserver): { world: World; behind: string } {
  const world = new World({ seed: 4, voters: 3, observer });
  write(world, 'first', 'v');
  const behind = world.ids.find((id) => id !== leaderOf(world))!;
  world.crash(behind, { effects: 0 });
  for (const id of world.ids) world.setProcess(id, { checkpointEntries: 5 });
  for (let i = 0; i < writes; i++) write(world, `k${i}`, `${i}`);
  world.restart(behind);
  return { world, behind };
}

const busyRun = (seed: number): World => {
  const world = new World({ seed, voters: 3, observer: silentObserver });
  for (let i = 0; i < 10; i++) write(world, `k${i}`, `${i}`);
  world.crash('n2', { effects: 3 });
  for (let i = 0; i < 10; i++) write(world, `k${i}`, `again ${i}`);
  world.restart('n2');
  world.runUntil(world.now + 50 * UNITS_PER_TICK);
  return world;
};

describe('World', () => {
  it('elects a leader and applies writes on all nodes', () => {
    const world = new World({ seed: 1, voters: 3, observer: silentObserver });
    for (let i = 0; i < 20; i++) write(world, `k${i}`, `${i}`);
    expectEqualStates(world);
  });

  it('runs the same from the same seed, and differently from another', () => {
    expect(busyRun(5).traceHash).toBe(busyRun(5).traceHash);
    expect(busyRun(5).traceHash).not.toBe(busyRun(6).traceHash);
  });

  it('survives a crash of any node at any effect', () => {
    const world = new World({ seed: 2, voters: 3, observer: silentObserver });
    for (let effects = 0; effects < 60; effects++) {
      const id = world.ids[effects % 3]!;
      world.crash(id, { effects, ...(effects % 2 === 0 ? { powerLoss: 'random' } : {}) });
      write(world, `k${effects}`, 'v');
      runUntil(world, () => !world.node(id).isUp);
      world.restart(id);
    }
    runUntil(world, () => world.ids.every((id) => world.node(id).raft !== undefined));
    expectEqualStates(world);
  });

  it('brings a follower that has missed too much the state, and the follower keeps it', () => {
    const installed: string[] = [];
    const observer = { ...silentObserver, snapshotInstalled: (node: ObservedNode) => installed.push(node.id) };
    const { world, behind } = worldWithFollowerBehind(60, observer);
    runUntil(world, () => installed.includes(behind));
    expectEqualStates(world);
    world.crash(behind, { effects: 0, powerLoss: 'nothing' });
    world.restart(behind);
    expectEqualStates(world);
  });

  it('installs a snapshot whole or not at all, wherever the process dies', () => {
    for (let effects = 0; effects < 25; effects++) {
      const { world, behind } = worldWithFollowerBehind(30);
      runUntil(world, () => world.node(behind).raft !== undefined);
      world.crash(behind, { effects, powerLoss: 'random' });
      runUntil(world, () => !world.node(behind).isUp);
      world.restart(behind);
      expectEqualStates(world);
    }
  });

  it('hands over the ticks of a pause before anything else, so that an old lease serves no read', () => {
    const world = new World({ seed: 1, voters: 3, config: { leaseTicks: 6 }, observer: silentObserver });
    write(world, 'k', 'old');
    const leader = leaderOf(world)!;
    world.setProcess(leader, { isPaused: true });
    const before = world.node(leader).state!.now;
    const pausedAt = world.now;
    runUntil(world, () => leaderOf(world) !== leader);
    write(world, 'k', 'new');
    expect(world.node(leader).state!.now).toBe(before);
    let outcome: Outcome<Answer> | undefined;
    world.node(leader).read(bytes('k'), 'lease', (given) => (outcome = given));
    world.setProcess(leader, { isPaused: false });
    const due = (world.now - pausedAt) / UNITS_PER_TICK;
    expect(Math.abs(world.node(leader).state!.now - before - due)).toBeLessThanOrEqual(1);
    runUntil(world, () => outcome !== undefined);
    const staleAnswer = { kind: 'applied', answer: { found: true, record: { value: bytes('old') } } };
    expect(outcome).not.toMatchObject(staleAnswer);
  });

  it('gives no ticks from a frozen clock, and half of them from a slow one', () => {
    const world = new World({ seed: 1, voters: 3, observer: silentObserver });
    runUntil(world, () => world.ids.every((id) => world.node(id).state !== undefined));
    world.setProcess('n1', { clockRate: 0 });
    world.setProcess('n2', { clockRate: 0.5 });
    const ticks = (id: string): number => world.node(id).state!.now;
    const before = [ticks('n1'), ticks('n2'), ticks('n3')];
    world.runUntil(world.now + 100 * UNITS_PER_TICK);
    expect(['n1', 'n2', 'n3'].map((id, i) => ticks(id) - before[i]!)).toEqual([0, 50, 100]);
  });

  it('starts a wiped node as another incarnation, and its cluster goes on without it', () => {
    const world = new World({ seed: 3, voters: 3, observer: silentObserver });
    for (let i = 0; i < 5; i++) write(world, `k${i}`, 'v');
    const victim = world.ids.find((id) => id !== leaderOf(world))!;
    const before = world.node(victim).incarnation;
    world.wipe(victim);
    expect(world.node(victim).incarnation).toBe(before);
    world.crash(victim, { effects: 0 });
    world.wipe(victim);
    world.restart(victim);
    expect(world.node(victim).incarnation).not.toBe(before);
    expect(world.node(victim).appliedIndex).toBe(0);
    for (let i = 0; i < 5; i++) write(world, `k${i}`, 'w');
  });

  it('takes in a node that joins, and lets a voter go', () => {
    const world = new World({ seed: 3, voters: 3, observer: silentObserver });
    write(world, 'k', 'v');
    world.join('n4');
    operate(world, { kind: 'add_learner', node: 'n4' });
    operate(world, { kind: 'promote', node: 'n4' });
    const leaving = world.ids.find((id) => id !== leaderOf(world) && id !== 'n4')!;
    operate(world, { kind: 'remove', node: leaving });
    expect(world.node(leaderOf(world)!).state!.configuration.voters).toEqual(
      expect.not.arrayContaining([leaving]) as string[],
    );
    world.crash(leaving, { effects: 0 });
    write(world, 'k', 'w');
    expect(world.node('n4').appliedIndex).toBeGreaterThan(0);
  });

  it('ends a process whose sync fails or whose log cannot be read, until it is started again', () => {
    for (const fault of [{ failNextSync: true }, { failNextRead: true }]) {
      const world = new World({ seed: 5, voters: 3, observer: silentObserver });
      write(world, 'k', 'v');
      const victim = world.ids.find((id) => id !== leaderOf(world))!;
      if ('failNextRead' in fault) {
        world.crash(victim, { effects: 0 });
        world.setDisk(victim, fault);
        world.restart(victim);
      }
      world.setDisk(victim, fault);
      for (let i = 0; world.node(victim).isUp && i < 300; i++) write(world, `k${i}`, 'v');
      expect(world.node(victim).isUp).toBe(false);
      world.restart(victim);
      expectEqualStates(world);
    }
  });

  it('keeps a process whose disk is full: it stores no more, and goes on when there is space again', () => {
    const world = new World({ seed: 5, voters: 3, observer: silentObserver });
    write(world, 'k', 'v');
    const victim = world.ids.find((id) => id !== leaderOf(world))!;
    world.setDisk(victim, { isFull: true });
    for (let i = 0; i < 100; i++) write(world, `k${i}`, 'v');
    const { appliedIndex } = world.node(victim);
    for (let i = 0; i < 10; i++) write(world, `k${i}`, 'w');
    expect([world.node(victim).isUp, world.node(victim).appliedIndex]).toEqual([true, appliedIndex]);
    world.setDisk(victim, { isFull: false });
    expectEqualStates(world);
  });

  it('makes leadership move when the disk of the leader is full', () => {
    const world = new World({ seed: 12, voters: 3, observer: silentObserver });
    write(world, 'k', 'v');
    const first = leaderOf(world)!;
    const { currentTerm } = world.node(first).state!;
    world.setDisk(first, { isFull: true });
    for (let i = 0; i < 100; i++) write(world, `k${i}`, 'v');
    expect(leaderOf(world)).not.toBe(first);
    expect(world.node(leaderOf(world)!).state!.currentTerm).toBe(currentTerm + 1);
    world.setDisk(first, { isFull: false });
    expectEqualStates(world);
  });

  it('does not start a node whose log was damaged while it was down', () => {
    const world = new World({ seed: 6, voters: 3, observer: silentObserver });
    for (let i = 0; i < 10; i++) write(world, `k${i}`, 'v');
    const victim = world.ids.find((id) => id !== leaderOf(world))!;
    expect(world.flipBit(victim)).toBe(false);
    world.crash(victim, { effects: 0 });
    expect(world.flipBit(victim)).toBe(true);
    world.restart(victim);
    runUntil(world, () => !world.node(victim).isUp);
    expect(world.node(victim).raft).toBeUndefined();
    world.wipe(victim);
    world.restart(victim);
    runUntil(world, () => world.node(victim).raft !== undefined);
  });

  it('makes leadership move when the disk of the leader hangs', () => {
    const world = new World({ seed: 7, voters: 3, observer: silentObserver });
    write(world, 'k', 'v');
    const first = leaderOf(world)!;
    world.setDisk(first, { isHung: true });
    let outcome: Outcome<unknown> | undefined;
    world.node(first).write(set('k', 'w'), (given) => (outcome = given));
    runUntil(world, () => leaderOf(world) !== first && leaderOf(world) !== undefined);
    runUntil(world, () => outcome !== undefined);
    expect(outcome).toMatchObject({ kind: 'unknown' });
    world.setDisk(first, { isHung: false });
    expectEqualStates(world);
  });

  it('makes leadership move when the leader had better not lead, and brings it back to whoever may', () => {
    const world = new World({ seed: 9, voters: 3, observer: silentObserver });
    write(world, 'k', 'v');
    for (const candidacy of ['reluctant', 'never'] as const) {
      const first = leaderOf(world)!;
      const { currentTerm } = world.node(first).state!;
      world.setProcess(first, { candidacy });
      runUntil(world, () => leaderOf(world) !== first && leaderOf(world) !== undefined, 40);
      // The successor did not wait for a timeout.
      expect(world.node(leaderOf(world)!).state!.currentTerm).toBe(currentTerm + 1);
      world.setProcess(first, { candidacy: 'ready' });
      expectEqualStates(world);
    }
  });

  it('has a leader although nobody wants to lead, unless nobody may', () => {
    const world = new World({ seed: 10, voters: 3, observer: silentObserver });
    for (const id of world.ids) world.setProcess(id, { candidacy: 'never' });
    world.runUntil(200 * UNITS_PER_TICK);
    expect(leaderOf(world)).toBeUndefined();
    for (const id of world.ids) world.setProcess(id, { candidacy: 'reluctant' });
    write(world, 'k', 'v');
    expectEqualStates(world);
  });

  it('keeps a node from leading across its restarts', () => {
    const world = new World({ seed: 11, voters: 1, observer: silentObserver });
    write(world, 'k', 'v');
    world.setProcess('n1', { candidacy: 'never' });
    world.crash('n1', { effects: 0 });
    world.restart('n1');
    world.runUntil(world.now + 200 * UNITS_PER_TICK);
    expect(world.node('n1').state).toMatchObject({ role: 'follower', candidacy: 'never' });
  });

  it('writes a line for every message when someone reads the trace, and hashes the same without', () => {
    const lines: string[] = [];
    const read = new World({ seed: 8, voters: 3, observer: silentObserver, traceSink: (line) => lines.push(line) });
    const unread = new World({ seed: 8, voters: 3, observer: silentObserver });
    for (const world of [read, unread]) write(world, 'k', 'v');
    expect(read.traceHash).toBe(unread.traceHash);
    expect(
      lines.find((line) => /^ +\d+ {2}n\d -> n\d {2}AppendEntries term 1 prev \d+\/1 \+1 commit \d+/.test(line)),
    ).toBeDefined();
  });

  it('ends with the failure that an observer throws', () => {
    const observer = {
      ...silentObserver,
      applied: () => {
        throw new SimulationFailure('test', 'enough');
      },
    };
    const world = new World({ seed: 1, voters: 3, observer });
    expect(() => world.runUntil(1000)).toThrow('test: enough');
  });
});
