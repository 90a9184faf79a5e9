import type { StateHashes, StateMachine } from '@app/kv';
import { createLog } from '@app/platform';
import { simpleConfiguration, type Raft } from '@app/raft';
import { NodeCondition } from '../condition/node-condition.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { ConsistencyCheck } from './consistency-check.js';
import type { ConsistencyClient } from './consistency-client.js';
import type { Quarantine } from './quarantine.js';

const right: StateHashes = { content: '00000000000000aa', history: '00000000000000bb' };
const wrong: StateHashes = { content: '00000000000000cc', history: '00000000000000bb' };
const other: StateHashes = { content: '00000000000000dd', history: '00000000000000bb' };

/** The check of `n1`, which leads `n1`, `n2`, `n3`; the others answer what the test says. */
class Leader {
  own = right;
  appliedIndex = 10;
  members = ['n1', 'n2', 'n3'];
  isLeader = true;
  term = 3;
  /** Who is not there does not answer. */
  readonly answers: Record<string, StateHashes | undefined> = { n2: right, n3: right };
  readonly asked: string[] = [];
  readonly sent: unknown[] = [];
  readonly entered: string[] = [];
  readonly logged: { level: string; msg: string }[] = [];
  readonly condition = new NodeCondition();
  /** Calls of quarantine for other members that were not answered. */
  isQuarantineHeld = false;
  onAsked: () => void = () => undefined;
  readonly check: ConsistencyCheck;

  constructor() {
    const config = new RaftNodeConfig();
    config.heartbeatMs = 8;
    config.consistencyCheckMs = 100;
    const isLeader = () => this.isLeader;
    const raft = {
      get isLeader() {
        return isLeader();
      },
      status: () => ({
        id: 'n1',
        role: this.isLeader ? 'leader' : 'follower',
        term: this.term,
        configuration: simpleConfiguration(this.members),
      }),
    } as Raft;
    const appliedIndex = () => this.appliedIndex;
    const stateMachine = {
      hashTrail: {
        get lastIndex() {
          return appliedIndex();
        },
        firstIndex: 1,
        at: () => this.own,
      },
    } as unknown as StateMachine;
    const client = {
      stateHashOf: (id: string, term: number, index: number) => {
        this.asked.push(`${id} ${term} ${index}`);
        this.onAsked();
        return Promise.resolve(this.answers[id]);
      },
      quarantine: (...call: unknown[]) => {
        this.sent.push(call);
        return this.isQuarantineHeld ? new Promise<boolean>(() => undefined) : Promise.resolve(true);
      },
    } as unknown as ConsistencyClient;
    const quarantine = {
      enter: (reason: string) => {
        this.entered.push(reason);
        return Promise.resolve();
      },
    } as unknown as Quarantine;
    const log = createLog({
      level: 'info',
      fields: {},
      destination: { write: (line) => this.logged.push(JSON.parse(line) as { level: string; msg: string }) },
    });
    this.check = new ConsistencyCheck(config, raft, stateMachine, client, quarantine, this.condition, log);
  }

  get errors(): string[] {
    return this.logged.filter(({ level }) => level === 'error').map(({ msg }) => msg);
  }
}

describe('ConsistencyCheck', () => {
  let leader: Leader;

  beforeEach(() => {
    leader = new Leader();
  });

  it('asks every other member about one entry, and is content when they agree', async () => {
    await expect(leader.check.check()).resolves.toBe('equal');
    expect(leader.asked).toEqual(['n2 3 10', 'n3 3 10']);
    expect(leader.check.counts).toEqual({ equal: 1, incomplete: 0, outvoted: 0, undecided: 0 });
    expect(leader.sent).toEqual([]);
    expect(leader.errors).toEqual([]);
  });

  it('asks about the entry that it had applied at the beginning, with the hashes of then', async () => {
    const checking = leader.check.check();
    leader.appliedIndex = 20;
    leader.own = other;
    await expect(checking).resolves.toBe('equal');
    expect(leader.asked).toContain('n2 3 10');
  });

  it('does nothing while it does not lead, and before anything was applied', async () => {
    leader.isLeader = false;
    await expect(leader.check.check()).resolves.toBeUndefined();
    leader.isLeader = true;
    leader.appliedIndex = 0;
    await expect(leader.check.check()).resolves.toBeUndefined();
    expect(leader.asked).toEqual([]);
  });

  it('says that a comparison without an answer from all is incomplete', async () => {
    leader.answers.n3 = undefined;
    await expect(leader.check.check()).resolves.toBe('incomplete');
  });

  it('sends the odd one out into quarantine, with what the majority has, and reports it once', async () => {
    leader.answers.n3 = wrong;
    await expect(leader.check.check()).resolves.toBe('outvoted');
    await expect(leader.check.check()).resolves.toBe('outvoted');
    expect(leader.sent).toEqual([
      ['n3', 3, 10, right, ['n1', 'n2']],
      ['n3', 3, 10, right, ['n1', 'n2']],
    ]);
    expect(leader.errors).toEqual(['members have diverged']);
    expect(leader.check.differingIds).toEqual(['n3']);
    expect(leader.entered).toEqual([]);
  });

  it('keeps in mind who differed while that one does not answer, and says when it agrees again', async () => {
    leader.answers.n3 = wrong;
    await leader.check.check();
    leader.answers.n3 = undefined;
    await leader.check.check();
    expect(leader.check.differingIds).toEqual(['n3']);
    leader.answers.n3 = right;
    await leader.check.check();
    expect(leader.check.differingIds).toEqual([]);
    expect(leader.logged.at(-1)).toMatchObject({ level: 'info', msg: 'a member that had diverged agrees again' });
    leader.answers.n3 = wrong;
    await leader.check.check();
    expect(leader.errors).toHaveLength(2);
  });

  it('forgets who differed and is no member any more', async () => {
    leader.answers.n3 = wrong;
    await leader.check.check();
    leader.members = ['n1', 'n2'];
    await leader.check.check();
    expect(leader.check.differingIds).toEqual([]);
    expect(leader.logged.filter(({ level }) => level === 'info')).toEqual([]);
  });

  it('goes into quarantine itself when the others agree against it', async () => {
    leader.own = wrong;
    await expect(leader.check.check()).resolves.toBe('outvoted');
    expect(leader.sent).toEqual([]);
    expect(leader.entered).toEqual([
      'after entry 10 the state of this node has content 00000000000000cc, history 00000000000000bb, ' +
        'but a majority (n2, n3) has content 00000000000000aa, history 00000000000000bb',
    ]);
  });

  it.each([
    ['all differ', { n2: wrong, n3: other }],
    ['two differ and the third does not answer', { n2: wrong, n3: undefined }],
  ])('raises an alarm, once, and touches nobody when %s', async (_what, answers) => {
    Object.assign(leader.answers, answers);
    await expect(leader.check.check()).resolves.toBe('undecided');
    await expect(leader.check.check()).resolves.toBe('undecided');
    expect(leader.sent).toEqual([]);
    expect(leader.entered).toEqual([]);
    expect(leader.errors).toEqual(['members have diverged, and no majority agrees']);
    expect(leader.check.undecided).toContain('no majority agrees: n1 with content 00000000000000aa');
    Object.assign(leader.answers, { n2: right, n3: right });
    await leader.check.check();
    expect(leader.check.undecided).toBeUndefined();
  });

  it('goes into quarantine before it has heard of the others that are odd', async () => {
    leader.members = ['n1', 'n2', 'n3', 'n4', 'n5'];
    Object.assign(leader.answers, { n4: right, n5: other });
    leader.own = wrong;
    leader.isQuarantineHeld = true;
    void leader.check.check();
    while (leader.sent.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(leader.entered).toHaveLength(1);
  });

  describe('which finds that no majority agrees', () => {
    beforeEach(async () => {
      Object.assign(leader.answers, { n2: wrong, n3: undefined });
      await leader.check.check();
    });

    const inDoubtAfter = async (answers: Leader['answers']) => {
      Object.assign(leader.answers, answers);
      await leader.check.check();
      return leader.condition.isStateInDoubt;
    };

    it('doubts its own state, too, but not whether it may lead', () => {
      expect(leader.condition.isStateInDoubt).toBe(true);
      expect(leader.condition.candidacy).toBe('ready');
    });

    it('goes on doubting while who differed does not answer, and while it does not lead', async () => {
      await expect(inDoubtAfter({ n2: undefined, n3: right })).resolves.toBe(true);
      leader.isLeader = false;
      await expect(inDoubtAfter({})).resolves.toBe(true);
    });

    it.each<[string, () => void]>([
      ['a majority agrees', () => (leader.answers.n3 = right)],
      ['all agree', () => (leader.answers.n2 = right)],
      ['who differed is no member any more', () => (leader.members = ['n1', 'n3'])],
    ])('doubts no longer when %s', async (_what, happen) => {
      happen();
      await expect(inDoubtAfter({})).resolves.toBe(false);
    });
  });

  it.each<[string, (leader: Leader) => void]>([
    ['the leadership is lost', (each) => (each.isLeader = false)],
    ['it leads again in a later term', (each) => (each.term += 1)],
  ])('draws no conclusion when %s meanwhile', async (_what, happen) => {
    leader.answers.n3 = wrong;
    leader.onAsked = () => happen(leader);
    await expect(leader.check.check()).resolves.toBeUndefined();
    expect(leader.sent).toEqual([]);
    expect(leader.check.differingIds).toEqual([]);
  });

  it('checks again and again by itself, until the node stops', async () => {
    leader.check.onApplicationBootstrap();
    await new Promise<void>((resolve) => {
      leader.onAsked = () => {
        if (leader.asked.length >= 6) resolve();
      };
    });
    await leader.check.beforeApplicationShutdown();
    const asked = leader.asked.length;
    await expect(leader.check.check()).resolves.toBeUndefined();
    expect(leader.asked).toHaveLength(asked);
  });
});
