import type { InstallSnapshot, LogIndex, NodeId, Raft } from '@app/raft';
import type { StateSnapshot, StateStore } from '@app/storage';
import { logLines } from '../../../../libs/platform/src/testing/log-lines.js';
import { NodeCondition } from '../condition/node-condition.js';
import type { Persistence } from './persistence.js';
import { SnapshotExchange } from './snapshot-exchange.js';

const RETAINED = 1_000;

/** The exchange of a leader, with all around it. */
class Exchange {
  readonly condition = new NodeCondition();
  readonly lines = logLines();
  /** What the core was told. */
  readonly ended: [NodeId, boolean][] = [];
  readonly checkpoints: [LogIndex, number][] = [];
  readonly sent: ((isDelivered: boolean) => void)[] = [];
  /** Waits until the test lets it be taken. */
  readonly taking: ((snapshot: StateSnapshot) => void)[] = [];
  snapshotsClosed = 0;
  cancelled = 0;
  syncedAppliedIndex = 50;
  knownIds = ['n2', 'n3'];
  readonly exchange: SnapshotExchange;

  constructor() {
    const raft = {
      snapshotEnded: (to, isDelivered) => this.ended.push([to, isDelivered]),
      snapshotStarted: (to, index) => ({ to, snapshot: { index } }) as InstallSnapshot,
      checkpointed: (index, retained) => this.checkpoints.push([index, retained!]),
    } satisfies Partial<Raft> as unknown as Raft;
    const synced = () => this.syncedAppliedIndex;
    const store = {
      get syncedAppliedIndex() {
        return synced();
      },
      snapshot: () => new Promise<StateSnapshot>((resolve) => this.taking.push(resolve)),
    } as StateStore;
    const persistence = { isInstalling: false, retainedEntries: () => RETAINED } as unknown as Persistence;
    const senders = {
      reaches: (id: NodeId) => this.knownIds.includes(id),
      send: (_message: InstallSnapshot, _snapshot: StateSnapshot, done: (isDelivered: boolean) => void) => {
        this.sent.push(done);
      },
      cancelAll: () => {
        this.cancelled += 1;
      },
    };
    const loop = { isStopped: false, input: (feed: () => void) => feed(), step: () => undefined };
    this.exchange = new SnapshotExchange(raft, store, persistence, senders, this.condition, loop, this.lines.log);
    this.condition.onChange(() => this.exchange.conditionChanged());
  }

  async taken(): Promise<void> {
    const close = () => {
      this.snapshotsClosed += 1;
      return Promise.resolve();
    };
    this.taking.shift()!({ description: { index: this.syncedAppliedIndex }, close } as unknown as StateSnapshot);
    await new Promise((resolve) => setImmediate(resolve));
  }

  get warnings(): unknown[] {
    return this.lines.lines.filter(({ level }) => level === 'warn').map(({ reason }) => reason);
  }
}

describe('SnapshotExchange', () => {
  let node: Exchange;

  beforeEach(() => {
    node = new Exchange();
  });

  describe.each<[string, (condition: NodeCondition) => void]>([
    ['in quarantine', (condition) => condition.raise('quarantined', 'odd')],
    ['while its state is in doubt', (condition) => condition.doubtState(true)],
  ])('%s', (_when, happen) => {
    it('sends its state to nobody, does not even take it, and says so once', () => {
      happen(node.condition);
      node.exchange.send('n2');
      node.exchange.send('n2');
      expect(node.taking).toEqual([]);
      expect(node.ended).toEqual([
        ['n2', false],
        ['n2', false],
      ]);
      expect(node.warnings).toEqual(['the state of this node may be wrong']);
    });

    it('cancels what is under way, and sends nothing of a state that is being taken', async () => {
      node.exchange.send('n2');
      await node.taken();
      node.exchange.send('n3');
      happen(node.condition);
      expect(node.cancelled).toBe(1);
      await node.taken();
      expect(node.sent).toHaveLength(1);
      expect(node.ended).toEqual([['n3', false]]);
      expect(node.snapshotsClosed).toBe(1);
    });
  });

  it('sends its state again when it is in doubt no longer', async () => {
    node.condition.doubtState(true);
    node.exchange.send('n2');
    node.condition.doubtState(false);
    node.exchange.send('n2');
    await node.taken();
    expect(node.sent).toHaveLength(1);
  });

  it('takes no state for a member whose address it does not know, and says so once', () => {
    node.exchange.send('n9');
    node.exchange.send('n9');
    expect(node.taking).toEqual([]);
    expect(node.ended).toEqual([
      ['n9', false],
      ['n9', false],
    ]);
    expect(node.warnings).toEqual(['its address is not known']);
  });

  it('tells the core of each index once, with the entries that are to be retained', () => {
    node.exchange.checkpoint();
    node.exchange.checkpoint();
    expect(node.checkpoints).toEqual([[50, RETAINED]]);
  });

  it('retains nothing on a full disk, at once and again when a transfer has ended', async () => {
    node.exchange.send('n2');
    await node.taken();
    node.condition.raise('storage_full', 'full');
    expect(node.checkpoints).toEqual([
      [50, RETAINED],
      [50, 0],
    ]);
    node.sent[0]!(true);
    expect(node.ended).toEqual([['n2', true]]);
    expect(node.checkpoints.slice(2)).toEqual([[50, 0]]);
    node.condition.clear('storage_full');
    expect(node.checkpoints).toHaveLength(3);
  });

  it('tells the core nothing before anything is durable', () => {
    node.syncedAppliedIndex = 0;
    node.condition.raise('storage_full', 'full');
    expect(node.checkpoints).toEqual([]);
  });
});
