import {
  EntryType,
  emptyConfiguration,
  encodeConfiguration,
  simpleConfiguration,
  type Configuration,
  type Entry,
} from '@app/raft';
import { MemoryDisk, WriteAheadLog, promised, type StateDescription } from '@app/storage';
import { RaftNodeConfig } from '../raft-node.config.js';
import { restoreState } from './restored-state.js';

function nodeConfig(more: Partial<RaftNodeConfig> = {}): RaftNodeConfig {
  return Object.assign(new RaftNodeConfig(), {
    clusterId: 'c1',
    nodeId: 'n1',
    dataDir: 'the/data',
    peers: [
      { nodeId: 'n1', address: '127.0.0.1:1' },
      { nodeId: 'n2', address: '127.0.0.1:2' },
    ],
    ...more,
  });
}

const openLog = (disk: MemoryDisk) =>
  promised<WriteAheadLog>((done) =>
    WriteAheadLog.open(disk, { clusterId: 'c1', nodeId: 'n1', incarnation: 'i', segmentBytesMax: 4096 }, done),
  );

const entry = (index: number, configuration?: Configuration): Entry => ({
  index,
  term: 2,
  type: configuration ? EntryType.Configuration : EntryType.Normal,
  data: configuration ? encodeConfiguration(configuration) : new Uint8Array(2000),
});

/** Entries 1 to `last` of term 2. */
async function logOf(last: number, configurations: Record<number, Configuration> = {}): Promise<WriteAheadLog> {
  const log = await openLog(new MemoryDisk());
  const entries = Array.from({ length: last }, (_, i) => entry(i + 1, configurations[i + 1]));
  const hardState = { currentTerm: 3, votedFor: 'n2', commitIndex: 0 };
  await promised((done) => log.append({ hardState, entries }, done));
  return log;
}

function storeOf(description: Partial<StateDescription> & { index: number }, isInstalled = false) {
  const configuration = encodeConfiguration(simpleConfiguration(['n1']));
  const described = { term: 2, configurationIndex: 0, configuration, ...description };
  return { appliedIndex: description.index, description: described, isInstalled };
}

const emptyStore = { appliedIndex: 0, description: undefined, isInstalled: false };

describe('restoreState', () => {
  it('begins with the peers as voters where nothing is, and with nobody on a node that joins', async () => {
    const state = await restoreState(nodeConfig(), await logOf(0), emptyStore);
    expect(state.configuration).toEqual(simpleConfiguration(['n1', 'n2']));
    const joining = await restoreState(nodeConfig({ join: true }), await logOf(0), emptyStore);
    expect(joining.configuration).toEqual(emptyConfiguration);
    expect(joining.mayCampaign).toBe(false);
  });

  it('takes the configuration of the applied index from the state, and later ones from the log', async () => {
    const [old, atApplied, later] = [['n1'], ['n1', 'n2'], ['n2', 'n3']].map(simpleConfiguration) as [
      Configuration,
      Configuration,
      Configuration,
    ];
    const log = await logOf(6, { 2: old, 3: atApplied, 5: later });
    const store = storeOf({ index: 4, configurationIndex: 3, configuration: encodeConfiguration(atApplied) });
    const state = await restoreState(nodeConfig({ join: true }), log, store);
    expect(state.configurations.at(4)).toEqual({ index: 3, configuration: atApplied });
    expect(state.configurations.at(6)).toEqual({ index: 5, configuration: later });
    expect(state).toMatchObject({ appliedIndex: 4, currentTerm: 3, votedFor: 'n2' });
    expect(state.log.slice(5, 6, 1e6)?.map(({ index }) => index)).toEqual([5, 6]);
  });

  it.each([
    ['above its end', 9, 2],
    ['at an index where it holds another entry', 4, 3],
  ])('begins the log anew behind a state that was installed, %s', async (_where, index, term) => {
    const log = await logOf(6);
    const state = await restoreState(nodeConfig(), log, storeOf({ index, term }, true));
    expect(log).toMatchObject({
      base: { index, term },
      lastIndex: index,
      hardState: { currentTerm: 3, votedFor: 'n2' },
    });
    expect(state).toMatchObject({ appliedIndex: index, commitIndex: index });
  });

  it('keeps a log that holds what was installed', async () => {
    const log = await logOf(6);
    await restoreState(nodeConfig(), log, storeOf({ index: 4 }, true));
    expect(log).toMatchObject({ base: { index: 0 }, lastIndex: 6 });
  });

  it('refuses a state that its log does not know, and says where it is and what to do', async () => {
    const isRefused = (log: WriteAheadLog, store: Parameters<typeof restoreState>[2]) =>
      expect(restoreState(nodeConfig(), log, store)).rejects.toThrow(/the\/data.*removed, exchanged.*--wipe/);
    await isRefused(await logOf(6), storeOf({ index: 7 }));
    await isRefused(await logOf(6), storeOf({ index: 4, term: 1 }));

    const compacted = await logOf(20);
    await promised((done) => compacted.removePrefix(20, done));
    expect(compacted.base.index).toBeGreaterThan(4);
    await isRefused(compacted, emptyStore);
    await isRefused(compacted, storeOf({ index: 3 }));
    await isRefused(compacted, storeOf({ index: 3 }, true));
  });

  it('refuses a configuration that it cannot read', async () => {
    const store = storeOf({ index: 4, configuration: Uint8Array.of(9, 9) });
    await expect(restoreState(nodeConfig(), await logOf(6), store)).rejects.toThrow(/configuration.*cannot be read/);
  });
});
