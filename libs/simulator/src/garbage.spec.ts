import { garbageLike } from './garbage.js';
import { SeededRandom } from './seeded-random.js';
import { silentObserver } from './testing/silent-observer.js';
import { World } from './world.js';
import { UNITS_PER_TICK } from './observer.js';
import type { Message } from '@app/raft';
import { appendEntries } from './testing/fake-node.js';
import { checkOf } from './testing/fake-cluster.js';

/** More than enough that every kind comes up, with every way of breaking a configuration. */
const DRAWS = 4000;
const KINDS_MIN = 40;

function settledWorld(): { world: World; leader: string; follower: string } {
  const world = new World({ seed: 3, voters: 3, observer: silentObserver });
  const leader = () => world.ids.find((id) => world.node(id).raft?.isLeader);
  for (let tick = 0; tick < 200 && leader() === undefined; tick++) world.runUntil(world.now + UNITS_PER_TICK);
  world.runUntil(world.now + 20 * UNITS_PER_TICK);
  return { world, leader: leader()!, follower: world.ids.find((id) => id !== leader())! };
}

/** NaN and Infinity are no JSON. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'number' && !Number.isFinite(part) ? `${part}` : part));

describe('garbage', () => {
  it.each(['leader', 'follower'] as const)('is refused by a %s, which stays as it was', (role) => {
    const { world, ...ids } = settledWorld();
    const to = ids[role];
    const raft = world.node(to).raft!;
    const from = world.ids.find((id) => id !== to && (role === 'leader' || id === ids.leader))!;
    const random = new SeededRandom(7, 'garbage');
    const like = appendEntries({ from, to, term: raft.status().term });
    const before = textOf(raft.status());
    const kinds = new Set<string>();
    for (let draw = 0; draw < DRAWS; draw++) {
      const message = garbageLike(like, random);
      const text = textOf(message);
      kinds.add(text);
      if (raft.step(message, world.node(from).incarnation)) throw new Error(`${role} takes ${text}`);
      if (textOf(raft.status()) !== before) throw new Error(`${text} changes ${role}`);
    }
    expect(kinds.size).toBeGreaterThan(KINDS_MIN);
    const ready = raft.takeReady();
    expect({ messages: ready.messages, persist: ready.persist }).toEqual({ messages: [], persist: undefined });
  });

  it('garbage_accepted: what is taken after all ends the run', () => {
    const { world, leader, follower } = settledWorld();
    const { term } = world.node(leader).raft!.status();
    const real: Message = appendEntries({ from: leader, to: follower, term });
    expect(checkOf(() => world.node(follower).receiveGarbage(real))).toBe('garbage_accepted');
    expect(checkOf(() => world.node(follower).receiveGarbage({ ...real, term: -1 }))).toBe('nothing');
  });
});
