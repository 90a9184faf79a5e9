import { MemoryKeySpace, StateMachine, encodeBatch, encodeCommand } from '@app/kv';
import { EntryType, encodeConfiguration, simpleConfiguration, type Entry, type PersistBatch } from '@app/raft';
import { MemoryDisk, StateFullError, WriteAheadLog, promised, type StagedState, type StateStore } from '@app/storage';
import { RaftNodeConfig } from '../raft-node.config.js';
import { Persistence } from './persistence.js';
import { restoreState } from './restored-state.js';
import { eventually, nextTurn } from './testing/driver-under-test.js';
import { FakeStaged, FakeStateStore } from './testing/fake-state-store.js';

const SNAPSHOT_INDEX = 100;
const configuration = { index: 90, configuration: simpleConfiguration(['n1', 'n2', 'n3']) };
const snapshot = { index: SNAPSHOT_INDEX, term: 5, configuration };

const entry = (index: number, term: number): Entry => ({ index, term, type: EntryType.Noop, data: Uint8Array.of() });
const numbered = (from: number, to: number, term: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, term));

/** What a leader has after the entries up to its snapshot: one session, and one key. */
function donatedRows(): MemoryKeySpace {
  const rows = new MemoryKeySpace();
  const donor = new StateMachine(rows);
  const key = Uint8Array.from(Buffer.from('k'));
  const commands = [
    encodeCommand({ kind: 'openSession' }),
    encodeCommand({ kind: 'set', key, value: key, contentType: '', ttlMs: 0 }),
  ];
  for (let index = 1; index <= SNAPSHOT_INDEX; index++) {
    donor.apply([{ index, data: index === 1 ? encodeBatch(1, commands) : Uint8Array.of() }]);
  }
  return rows;
}

const config = Object.assign(new RaftNodeConfig(), {
  clusterId: 'c1',
  nodeId: 'n1',
  dataDir: 'data',
  peers: [{ nodeId: 'n1', address: '127.0.0.1:1' }],
});

const openLog = (disk: MemoryDisk) =>
  promised<WriteAheadLog>((done) =>
    WriteAheadLog.open(disk, { clusterId: 'c1', nodeId: 'n1', incarnation: 'i' }, done),
  );

/** A node that has applied 3 of 8 entries, and a batch that replaces all that. */
class Installation {
  readonly store = new FakeStateStore();
  readonly stateMachine = new StateMachine(this.store);
  readonly staged = new FakeStaged(donatedRows());
  readonly steps: string[] = [];
  isReleased = false;
  outcome: 'none' | 'done' | Error = 'none';
  persistence!: Persistence;
  wal!: WriteAheadLog;
  readonly batch: PersistBatch = {
    hardState: { currentTerm: 6, votedFor: 'n2', commitIndex: 3 },
    snapshot,
    entries: numbered(SNAPSHOT_INDEX + 1, SNAPSHOT_INDEX + 2, 6),
    messages: [],
  };

  async prepare(disk: MemoryDisk): Promise<this> {
    this.wal = await openLog(disk);
    const hardState = { currentTerm: 2, votedFor: undefined, commitIndex: 0 };
    await promised((done) => this.wal.append({ hardState, entries: numbered(1, 8, 2) }, done));
    for (let index = 1; index <= 3; index++) this.stateMachine.apply([{ index, data: Uint8Array.of() }]);
    const encoded = encodeConfiguration(simpleConfiguration(['n1']));
    this.store.describe({ index: 3, term: 2, configurationIndex: 0, configuration: encoded });
    this.store.sync();
    const store = this.store as unknown as StateStore;
    this.persistence = new Persistence(config, this.wal, store, this.stateMachine);
    this.persistence.keep({
      message: { type: 'InstallSnapshot', from: 'n2', to: 'n1', term: 6, snapshot },
      incarnation: 'disk of n2',
      staged: this.staged as unknown as StagedState,
      release: () => (this.isReleased = true),
    });
    return this;
  }

  start(): void {
    this.persistence.persist(this.batch, (error) => (this.outcome = error ?? 'done'));
  }

  /** Until it has ended, or has not moved for some turns, because the process is dead. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 30 && this.outcome === 'none'; turns++) await nextTurn();
  }
}

describe('Persistence', () => {
  it('stores hard state, state, log and entries of a snapshot in this order', async () => {
    const steps: string[] = [];
    const disk = new MemoryDisk({
      intercept: ({ kind }) => {
        if (kind === 'sync' || kind === 'create') steps.push(kind);
        return undefined;
      },
    });
    const node = await new Installation().prepare(disk);
    node.store.beforeInstall = () => {
      steps.push('install');
      expect(node.wal.hardState).toEqual({ currentTerm: 6, votedFor: 'n2', commitIndex: 3 });
      expect(node.stateMachine.sessionCount).toBe(0);
      return Promise.resolve();
    };
    steps.length = 0;
    node.start();
    expect(node.persistence.isInstalling).toBe(true);
    await node.settle();
    expect(node.outcome).toBe('done');
    expect(steps.filter((step, i) => step !== steps[i - 1])).toEqual(['sync', 'install', 'create', 'sync']);
    expect(node.wal).toMatchObject({ base: { index: SNAPSHOT_INDEX, term: 5 }, lastIndex: SNAPSHOT_INDEX + 2 });
    expect(node.stateMachine).toMatchObject({ appliedIndex: SNAPSHOT_INDEX, sessionCount: 1, revision: 1 });
    expect({ isReleased: node.isReleased, isInstalling: node.persistence.isInstalling }).toEqual({
      isReleased: true,
      isInstalling: false,
    });
  });

  it('dies at any point and starts with the old state and its log, or with the new one and a log behind it', async () => {
    const found = new Set<string>();
    /** Dies before this operation of the disk, or in the middle of `install`. */
    const dieAt = async (point: number | 'install'): Promise<'done' | 'dead'> => {
      let operations = Infinity;
      const disk = new MemoryDisk({
        intercept: () => {
          if (operations-- === 0) disk.crash({ keepUnsynced: 'none' });
          return undefined;
        },
      });
      const node = await new Installation().prepare(disk);
      if (point === 'install') node.store.beforeInstall = () => new Promise(() => undefined);
      else operations = point;
      node.start();
      await node.settle();
      operations = Infinity;
      disk.crash({ keepUnsynced: 'none' });

      const wal = await openLog(disk);
      const state = await restoreState(config, wal, node.store);
      const { appliedIndex, configuration, currentTerm } = state;
      found.add(
        `applied ${appliedIndex} with ${configuration.voters.length} voters, log (${wal.base.index}, ${wal.lastIndex}], term ${currentTerm}`,
      );
      expect(node.store.appliedIndex).toBe(appliedIndex);
      return node.outcome === 'done' ? 'done' : 'dead';
    };
    expect(await dieAt('install')).toBe('dead');
    let point = 0;
    while ((await dieAt(point)) === 'dead') expect(++point).toBeLessThan(100);
    expect([...found].sort()).toEqual([
      'applied 100 with 3 voters, log (100, 100], term 6',
      'applied 100 with 3 voters, log (100, 102], term 6',
      'applied 3 with 1 voters, log (0, 8], term 2',
      'applied 3 with 1 voters, log (0, 8], term 6',
    ]);
  });

  it('waits for space when there is none for the state', async () => {
    const node = await new Installation().prepare(new MemoryDisk());
    let tries = 0;
    node.store.beforeInstall = () => {
      tries += 1;
      return tries === 1 ? Promise.reject(new StateFullError('data/state', new Error('ENOSPC'))) : Promise.resolve();
    };
    node.store.stage = () => Promise.resolve(node.staged);
    node.start();
    await node.settle();
    expect({ outcome: node.outcome, end: node.staged.end }).toEqual({ outcome: 'none', end: 'closed' });
    await eventually(() => node.outcome !== 'none');
    expect({ outcome: node.outcome, tries, appliedIndex: node.stateMachine.appliedIndex }).toEqual({
      outcome: 'done',
      tries: 2,
      appliedIndex: SNAPSHOT_INDEX,
    });
  });

  it('fails, and leaves everything as it was, when the state cannot be put in place', async () => {
    const node = await new Installation().prepare(new MemoryDisk());
    node.store.beforeInstall = () => Promise.reject(new Error('EIO'));
    node.start();
    await node.settle();
    expect(node.outcome).toEqual(new Error('EIO'));
    expect(node.wal).toMatchObject({ base: { index: 0 }, lastIndex: 8 });
    expect(node.store.appliedIndex).toBe(3);
  });

  it('retains fewer entries once the log takes more of the disk than it may', async () => {
    const small = Object.assign(new RaftNodeConfig(), { retainedEntries: 500, logBytesMax: 64 * 1024 });
    const wal = await promised<WriteAheadLog>((done) =>
      WriteAheadLog.open(
        new MemoryDisk(),
        { clusterId: 'c1', nodeId: 'n1', incarnation: 'i', segmentBytesMax: 16 * 1024, preallocateBytes: 1024 },
        done,
      ),
    );
    const store = new FakeStateStore();
    const persistence = new Persistence(small, wal, store as unknown as StateStore, new StateMachine(store));
    const append = (from: number, to: number) => {
      const entries = numbered(from, to, 1).map((each) => ({ ...each, data: new Uint8Array(1000) }));
      const hardState = { currentTerm: 1, votedFor: undefined, commitIndex: 0 };
      return promised((done) => wal.append({ hardState, entries }, done));
    };
    await append(1, 40);
    expect(persistence.retainedEntries(40)).toBe(500);
    await append(41, 400);
    const retained = persistence.retainedEntries(400);
    expect(retained).toBeGreaterThan(32);
    expect(retained).toBeLessThanOrEqual(64);
    await promised((done) => wal.removePrefix(400 - retained, done));
    expect(wal.sizeBytes).toBeLessThanOrEqual(64 * 1024);
    expect(persistence.retainedEntries(400)).toBe(500);
  });
});
