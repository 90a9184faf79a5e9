import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBatch, encodeCommand, StateMachine, userRange, type Row } from '@app/kv';
import { createLog } from '@app/platform';
import { StateStore } from '@app/storage';
import { RaftNodeConfig } from '../raft-node.config.js';
import type { Quarantine } from './quarantine.js';
import { StateScrub } from './state-scrub.js';

const CONFIGURATION = Uint8Array.of(1);

describe('StateScrub', () => {
  let directory: string;
  let store: StateStore;
  let machine: StateMachine;
  let index: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ringraft-scrub-'));
    store = await StateStore.open(join(directory, 'state'));
    machine = new StateMachine(store);
    index = 0;
  });

  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  async function fill(keys: number, valueBytes: number): Promise<void> {
    const value = new Uint8Array(valueBytes).fill(7);
    const commands = Array.from({ length: keys }, (_, i) =>
      encodeCommand({ kind: 'set', key: Uint8Array.of(107, i), value, contentType: '', ttlMs: 0 }),
    );
    index += 1;
    machine.apply([{ index, data: encodeBatch(1, commands) }]);
    await described();
  }

  function described(): Promise<void> {
    store.describe({ index, term: 1, configurationIndex: 0, configuration: CONFIGURATION });
    return store.flush();
  }

  function rows(): Promise<readonly Row[]> {
    const { from, to } = userRange(new Uint8Array(0));
    return new Promise((resolve, reject) =>
      store.scan(from, to, 1_000, (error, found) => (error ? reject(error) : resolve(found))),
    );
  }

  /** Puts another value in the place of one, past the state machine, with everything that the store itself checks in order. */
  async function changeOneRow(): Promise<void> {
    const { key, value } = (await rows())[0]!;
    const changed = Uint8Array.from(value);
    changed[changed.length - 1]! ^= 1;
    store.write([{ key, value: changed }], index + 1);
    index += 2;
    machine.apply([{ index, data: new Uint8Array(0) }]);
    await described();
  }

  function scrubOf(stateScrubMs: number, of: StateStore = store): { scrub: StateScrub; entered: string[] } {
    const config = new RaftNodeConfig();
    config.dataDir = directory;
    config.stateScrubMs = stateScrubMs;
    const entered: string[] = [];
    const quarantine = {
      get isEntered() {
        return entered.length > 0;
      },
      enter: (reason: string) => {
        entered.push(reason);
        return Promise.resolve();
      },
    } as unknown as Quarantine;
    return { scrub: new StateScrub(config, of, quarantine, createLog({ level: 'silent', fields: {} })), entered };
  }

  it('finds a sound state sound before the node serves', async () => {
    await fill(100, 100);
    const { scrub, entered } = scrubOf(60_000);
    await scrub.onModuleInit();
    expect(scrub.completed).toBe(1);
    expect(entered).toEqual([]);
    await scrub.beforeApplicationShutdown();
  });

  it('finds a record that was changed past the state machine before the node serves', async () => {
    await fill(100, 100);
    await changeOneRow();
    const { scrub, entered } = scrubOf(60_000);
    await scrub.onModuleInit();
    expect(entered).toEqual([expect.stringContaining(`the state database in ${directory} is damaged`)]);
    await scrub.beforeApplicationShutdown();
  });

  it('verifies a state again from time to time', async () => {
    await fill(10, 10);
    const { scrub, entered } = scrubOf(20);
    await scrub.onModuleInit();
    scrub.onApplicationBootstrap();
    await until(() => scrub.completed >= 2);
    expect(entered).toEqual([]);
    await changeOneRow();
    await until(() => entered.length > 0);
    await scrub.beforeApplicationShutdown();
    expect(entered).toHaveLength(1);
  });

  it('verifies nothing when it is told so, and has nothing to say of a node that never applied anything', async () => {
    const empty = scrubOf(60_000);
    await empty.scrub.onModuleInit();
    await empty.scrub.beforeApplicationShutdown();
    await fill(10, 10);
    const off = scrubOf(0);
    await off.scrub.onModuleInit();
    off.scrub.onApplicationBootstrap();
    await off.scrub.beforeApplicationShutdown();
    expect([empty.scrub.completed, off.scrub.completed]).toEqual([0, 0]);
  });

  it('does not keep a start waiting for a state that takes long to read, and says what it finds all the same', async () => {
    let goOn: () => void = () => undefined;
    const isRead = new Promise<void>((resolve) => (goOn = resolve));
    const slow = {
      syncedAppliedIndex: 7,
      snapshot: () =>
        Promise.resolve({
          description: { index: 7 },
          range: () => isRead.then(() => ({ rows: [], to: undefined })),
          close: () => Promise.resolve(),
        }),
    } as unknown as StateStore;
    const { scrub, entered } = scrubOf(60_000, slow);
    await scrub.onModuleInit();
    scrub.onApplicationBootstrap();
    expect([scrub.completed, entered]).toEqual([0, []]);
    goOn();
    await until(() => scrub.completed === 1);
    await scrub.beforeApplicationShutdown();
    expect(entered).toEqual([expect.stringContaining('what it says of itself cannot be read')]);
  });

  it('lets go of the state when the node stops in the middle', async () => {
    await fill(200, 10_000);
    const { scrub, entered } = scrubOf(60_000);
    const starting = scrub.onModuleInit();
    await scrub.beforeApplicationShutdown();
    await starting;
    expect([scrub.completed, entered]).toEqual([0, []]);
    await store.close();
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
