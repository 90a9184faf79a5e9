import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { decodeAnswer, encodeCommand } from '@app/kv';
import { Health, createLog } from '@app/platform';
import { Raft } from '@app/raft';
import { FaultyDisk } from '@app/storage';
import { OperationDesk } from '../fsm/operation-desk.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { RaftNodeModule } from '../raft-node.module.js';
import { DiskPulse } from './disk-pulse.js';
import { NodeCondition, type Trouble } from './node-condition.js';

const DEADLINE_MS = 30_000;

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The whole node, alone in its cluster, without its servers, and with its log on a disk that does what the test says. */
describe('a node on a bad disk', () => {
  let dataDir: string;
  let disk: FaultyDisk;
  let app: INestApplicationContext;
  let fatal: Error[];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ringraft-bad-disk-'));
    const config = new RaftNodeConfig();
    config.clusterId = 'c1';
    config.nodeId = 'n1';
    config.dataDir = dataDir;
    config.peers = [{ nodeId: 'n1', address: '127.0.0.1:1' }];
    config.slowDiskMs = 100;
    config.diskReserveBytes = 1;
    fatal = [];
    const module = RaftNodeModule.forConfig(
      config,
      createLog({ level: 'silent', fields: {} }),
      (error) => fatal.push(error as Error),
      { wrapDisk: (real) => (disk = new FaultyDisk(real)) },
    );
    app = await NestFactory.createApplicationContext(module, { logger: false });
    await until('it leads', () => app.get(OperationDesk).isLeader);
  });

  afterEach(async () => {
    disk.heal();
    await app.close();
    await rm(dataDir, { recursive: true });
  });

  /** The kind of the answer, or the code of the refusal. */
  function write(valueBytes = 10): Promise<string> {
    const command = encodeCommand({
      kind: 'set',
      key: Uint8Array.of(107),
      value: new Uint8Array(valueBytes),
      contentType: '',
      ttlMs: 0,
    });
    return new Promise((resolve) =>
      app
        .get(OperationDesk)
        .write(command, performance.now() + DEADLINE_MS, (answer, refusal) =>
          resolve(answer === undefined ? refusal!.code : decodeAnswer(answer).kind),
        ),
    );
  }

  const has = (trouble: Trouble) => app.get(NodeCondition).has(trouble);
  const unhealthy = () =>
    app
      .get(Health)
      .readiness()
      .filter(({ ok }) => !ok)
      .map(({ name }) => name);

  it('stops for good when a sync fails, and names the file and the error', async () => {
    await expect(write()).resolves.toBe('set');
    // The sync that fails may be the one of the seal behind the first write: only an entry that is in the log by then is in doubt.
    const { lastIndex } = app.get(Raft).status();
    disk.hang('sync');
    const inDoubt = write();
    await until('it has an entry', () => app.get(Raft).status().lastIndex > lastIndex && disk.hungCount > 0);
    disk.failNext('sync', 'EIO');
    disk.release('sync');
    await expect(inDoubt).resolves.toBe('OUTCOME_UNKNOWN');
    await until('it stops', () => fatal.length > 0);
    expect(fatal).toHaveLength(1);
    expect(fatal[0]?.message).toContain(`sync of ${join(dataDir, 'log')}`);
    expect(fatal[0]?.message).toContain('EIO');
    await expect(write()).resolves.toBe('SHUTTING_DOWN');
    expect(unhealthy()).toContain('log');
  });

  it('says that the disk is slow while a write hangs, and no more once writes are fast again', async () => {
    disk.hang('sync');
    const hanging = write();
    await until('it is slow', () => has('disk_slow'));
    expect(unhealthy()).toEqual(['disk']);
    expect(app.get(NodeCondition).candidacy).toBe('reluctant');
    disk.heal();
    await expect(hanging).resolves.toBe('set');
    await until('it is fast', () => !has('disk_slow'));
    expect(unhealthy()).toEqual([]);
    expect(fatal).toEqual([]);
  });

  it('refuses writes while one waits for space, and makes it when there is some again', async () => {
    disk.freeBytes = 0;
    const waiting = write(1_500_000);
    await until('it is full', () => has('storage_full'));
    expect(has('storage_exhausted')).toBe(true);
    expect(unhealthy()).toEqual(['disk']);
    await expect(write()).resolves.toMatch(/STORAGE_FULL|NO_LEADER/);
    // Tried in vain, again and again, for longer than a disk may be slow: a write that waits for space is no slow one.
    const attempts = jest.spyOn(app.get(DiskPulse), 'writeStarted');
    await until('it is tried again', () => attempts.mock.calls.length > 2);
    expect(has('disk_slow')).toBe(false);
    disk.heal();
    await expect(waiting).resolves.toBe('set');
    await until('it has room', () => !has('storage_full'));
    await expect(write()).resolves.toBe('set');
    expect(fatal).toEqual([]);
  });
});
