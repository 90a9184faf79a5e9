import { mkdtemp, rm } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { StateMachine, encodeBatch, encodeCommand, type KeySpace } from '@app/kv';
import type { Log } from '@app/platform';
import { encodeConfiguration, simpleConfiguration } from '@app/raft';
import { StateStore, verifyBackup } from '@app/storage';
import type { SaveResponse } from '@app/rpc';
import type { NodeCondition } from '../condition/node-condition.js';
import type { OperationDesk, ReadReply } from '../fsm/operation-desk.js';
import type { PeerDirectory } from '../peers/peer-directory.js';
import type { RaftNodeConfig } from '../raft-node.config.js';
import { BackupDesk, type SaveCall } from './backup-desk.js';
import { BackupMetrics } from './backup-metrics.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const log = { info: () => undefined, warn: () => undefined, error: () => undefined } as unknown as Log;

let directory: string;
let store: StateStore;
let read: (reply: ReadReply) => void;
let isStateInDoubt: boolean;
let desk: BackupDesk;

/** The client's end: what arrives, unless nobody takes it. */
class Client extends PassThrough {
  cancelled = false;

  constructor() {
    super({ objectMode: true, highWaterMark: 1 });
  }

  get call(): SaveCall {
    return this as unknown as SaveCall;
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    for await (const response of this) yield (response as SaveResponse).data;
  }
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringraft-desk-'));
  store = await StateStore.open(directory);
  const configuration = encodeConfiguration(simpleConfiguration(['n1', 'n2']));
  const keySpace: KeySpace = {
    get appliedIndex() {
      return store.appliedIndex;
    },
    get: (key) => store.get(key),
    scan: (...args) => store.scan(...args),
    write: (changes, index) => {
      store.write(changes, index);
      store.describe({ index, term: 1, configurationIndex: 0, configuration });
    },
  };
  const stateMachine = new StateMachine(keySpace);
  stateMachine.restore([]);
  const commands = Array.from({ length: 3 }, (_, i) =>
    encodeCommand({ kind: 'set', key: utf8(`k${i}`), value: new Uint8Array(300_000), contentType: '', ttlMs: 0 }),
  );
  stateMachine.apply([{ index: 1, data: encodeBatch(1, commands) }]);
  read = (reply) => reply(undefined);
  isStateInDoubt = false;
  desk = new BackupDesk(
    { clusterId: 'c1', operationTimeoutMs: 5_000, snapshotBytesPerSecond: 2 ** 30 } as RaftNodeConfig,
    { leaderId: 'n2', read: (_: number, reply: ReadReply) => read(reply) } as unknown as OperationDesk,
    { selfId: 'n1', addressOf: () => 'host:1' } as unknown as PeerDirectory,
    {
      readRefusal: () => undefined,
      get isStateInDoubt() {
        return isStateInDoubt;
      },
    } as unknown as NodeCondition,
    store,
    new BackupMetrics(new Registry()),
    log,
  );
});

afterEach(async () => {
  await desk.beforeApplicationShutdown();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function refusalOf(client: Client): Promise<unknown> {
  const refusal = new Promise<unknown>((resolve) => client.once('error', resolve));
  await desk.serve(client.call);
  return refusal;
}

describe('the desk of backups', () => {
  it('gives what was applied before the read was confirmed, as a backup that is sound', async () => {
    const client = new Client();
    const served = desk.serve(client.call);
    const { header } = await verifyBackup(client.bytes());
    await served;
    expect(header).toMatchObject({ clusterId: 'c1', index: 1, revision: 3, members: ['n1', 'n2'] });
  });

  it('names the leader where it is not, and gives nothing of a state in doubt', async () => {
    read = (reply) => reply({ code: 'NOT_LEADER', detail: 'the leader is n2' });
    expect(String(await refusalOf(new Client()))).toContain('NOT_LEADER');
    read = (reply) => reply(undefined);
    isStateInDoubt = true;
    expect(String(await refusalOf(new Client()))).toContain('QUARANTINED');
  });

  it('serves one at a time, and ends with the node', async () => {
    const slow = new Client();
    const ended = new Promise<unknown>((resolve) => slow.once('error', resolve));
    const served = desk.serve(slow.call);
    expect(String(await refusalOf(new Client()))).toContain('OVERLOADED');
    await desk.beforeApplicationShutdown();
    expect(String(await ended)).toContain('SHUTTING_DOWN');
    await served;
  });

  it('ends when the client goes away, and is free for the next', async () => {
    const leaving = new Client();
    leaving.on('error', () => undefined);
    const served = desk.serve(leaving.call);
    leaving.emit('cancelled');
    await served;
    const next = new Client();
    const again = desk.serve(next.call);
    expect((await verifyBackup(next.bytes())).header.index).toBe(1);
    await again;
  });
});
