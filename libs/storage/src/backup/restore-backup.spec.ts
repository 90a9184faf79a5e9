import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryKeySpace, StateMachine, SUMMARY_ROW_KEY, encodeBatch, encodeCommand, type Row } from '@app/kv';
import { decodeConfiguration, encodeConfiguration, simpleConfiguration } from '@app/raft';
import { promised } from '../completion.js';
import { WipeUnfinishedError } from '../errors.js';
import { NodeDisk } from '../node-disk.js';
import { StateStore } from '../state/state-store.js';
import { utf8 } from '../testing/state-fixture.js';
import { wipeDirectory, type WipeSummary } from '../wipe.js';
import { WriteAheadLog } from '../write-ahead-log.js';
import { CorruptBackupError } from './backup-format.js';
import { backupHeaderOf } from './describe-backup.js';
import { RestoreRefusedError, restoreBackup, type RestoreOptions } from './restore-backup.js';
import { verifyBackup } from './verify-backup.js';
import { writeBackup } from './write-backup.js';

const NEW_PEERS = { m1: '10.0.0.1:7001', m2: '10.0.0.2:7001', m3: '10.0.0.3:7001' };
const RECORDS = 300;

let directory: string;
let file: Uint8Array;
let original: Row[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringraft-backup-'));
  const store = await StateStore.open(join(directory, 'old'));
  try {
    const keySpace = new MemoryKeySpace();
    const stateMachine = new StateMachine(keySpace);
    stateMachine.restore([]);
    const commands = Array.from({ length: RECORDS }, (_, i) =>
      encodeCommand({
        kind: 'set',
        key: utf8(`key ${i}`),
        value: utf8(`value ${i}`),
        contentType: '',
        ttlMs: i % 7 === 0 ? 1e9 : 0,
      }),
    );
    const earlier = Array.from({ length: 39 }, (_, i) => ({ index: i + 1, data: utf8('') }));
    stateMachine.apply([...earlier, { index: 40, data: encodeBatch(1_700_000_000_000, commands) }]);
    original = await allRows(keySpace);
    store.write(original, 40);
    const configuration = encodeConfiguration({ ...simpleConfiguration(['n1']), incarnations: { n1: 'old' } });
    store.describe({ index: 40, term: 6, configurationIndex: 2, configuration });
    file = await backupOf(store);
  } finally {
    await store.close();
  }
});

afterAll(() => rm(directory, { recursive: true, force: true }));

function allRows(from: Pick<StateStore, 'scan'>): Promise<Row[]> {
  return promised<readonly Row[]>((done) => from.scan(utf8(''), Uint8Array.of(255), 1_000_000, done)).then((rows) => [
    ...rows,
  ]);
}

async function backupOf(store: StateStore): Promise<Uint8Array> {
  const snapshot = await store.snapshot();
  try {
    const header = await backupHeaderOf(snapshot, { clusterId: 'c1', version: '1.0.0', createdAtMs: 1 });
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeBackup(header, snapshot, 1_024)) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    await snapshot.close();
  }
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

function restored(name: string, options: Partial<RestoreOptions> = {}, bytes = file) {
  const dataDirectory = join(directory, name);
  return restoreBackup(() => streamOf(bytes), {
    dataDirectory,
    clusterId: 'c1',
    nodeId: 'm2',
    peers: NEW_PEERS,
    ...options,
  });
}

async function logOf(name: string): Promise<WriteAheadLog> {
  const disk = await promised<NodeDisk>((done) => NodeDisk.open(join(directory, name, 'log'), done));
  return promised<WriteAheadLog>((done) =>
    WriteAheadLog.open(disk, { clusterId: 'c1', nodeId: 'm2', incarnation: 'another' }, done),
  );
}

describe('restoring a backup', () => {
  it('gives the node the rows, a log that begins behind them, and the new members alone', async () => {
    const { header } = await restored('whole');
    const store = await StateStore.open(join(directory, 'whole', 'state'));
    const log = await logOf('whole');
    try {
      expect(await allRows(store)).toEqual(original);
      expect(store.description).toMatchObject({ index: 40, term: 6 });
      expect(decodeConfiguration(store.description!.configuration)).toEqual({
        ...simpleConfiguration(['m1', 'm2', 'm3']),
        addresses: NEW_PEERS,
      });
      expect(log.base).toEqual({ index: 40, term: 6 });
      expect(log.hardState).toEqual({ currentTerm: 6, votedFor: undefined, commitIndex: 40 });
      const again = await verifyBackup(streamOf(await backupOf(store)));
      expect(again.header.contentHash).toBe(header.contentHash);
      expect(again.header.revision).toBe(header.revision);
      expect(again.header.revision).toBe(RECORDS);
    } finally {
      await store.close();
      await promised((done) => log.close(done));
    }
  });

  it('is refused for another cluster, unless that is said, and for a node that is no member', async () => {
    await expect(restored('other', { clusterId: 'c2' })).rejects.toThrow(RestoreRefusedError);
    await expect(restored('other', { nodeId: 'm9' })).rejects.toThrow('m9 is not among the members');
    await expect(readdir(join(directory, 'other'))).rejects.toThrow('ENOENT');
    await restored('other', { clusterId: 'c2', allowOtherCluster: true });
  });

  it('is refused for a damaged file before anything is written', async () => {
    const damaged = Uint8Array.from(file);
    damaged[file.length - 500]! ^= 1;
    await expect(restored('damaged', {}, damaged)).rejects.toThrow(CorruptBackupError);
    await expect(readdir(join(directory, 'damaged'))).rejects.toThrow('ENOENT');
  });

  it('is refused where something lies, and possible where a wipe has emptied the directory', async () => {
    await restored('twice');
    await expect(restored('twice')).rejects.toThrow('is not empty');
    await promised<WipeSummary>((done) => wipeDirectory(join(directory, 'twice'), done));
    await restored('twice');
    await writeFile(join(directory, 'strange'), 'x');
    await expect(restored('.')).rejects.toThrow('is not empty');
  });

  it('that breaks off leaves a directory that no node starts in', async () => {
    let reads = 0;
    const options = { dataDirectory: join(directory, 'broken'), clusterId: 'c1', nodeId: 'm2', peers: NEW_PEERS };
    const breaking = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(file.subarray(0, 5_000));
      throw new Error('the disk is gone');
    };
    await expect(restoreBackup(() => ((reads += 1) === 1 ? streamOf(file) : breaking()), options)).rejects.toThrow(
      'gone',
    );
    await expect(logOf('broken')).rejects.toThrow(WipeUnfinishedError);
    await promised<WipeSummary>((done) => wipeDirectory(options.dataDirectory, done));
    await restored('broken');
  });

  it('finds a row that is not what the state machine wrote', async () => {
    const store = await StateStore.open(join(directory, 'old'));
    try {
      const victim = original.find(({ key }) => Buffer.compare(key, SUMMARY_ROW_KEY) !== 0 && key[0] === 0x10)!;
      store.write([{ key: victim.key, value: utf8('another') }], 41);
      store.describe({ ...store.description!, index: 41 });
      await store.flush();
      await expect(verifyBackup(streamOf(await backupOf(store)))).rejects.toThrow('they were written with');
    } finally {
      await store.close();
    }
  });
});
