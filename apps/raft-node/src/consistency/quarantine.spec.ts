import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@app/platform';
import { NodeCondition } from '../condition/node-condition.js';
import { Quarantine } from './quarantine.js';

const log = createLog({ level: 'silent', fields: {} });

describe('Quarantine', () => {
  let dataDir: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ringraft-quarantine-'));
  });

  afterEach(() => rm(dataDir, { recursive: true }));

  async function open(): Promise<{ quarantine: Quarantine; condition: NodeCondition }> {
    const condition = new NodeCondition();
    return { quarantine: await Quarantine.open(dataDir, condition, log), condition };
  }

  it('is not entered in a new directory, and leaves nothing there', async () => {
    const { quarantine, condition } = await open();
    expect(quarantine.isEntered).toBe(false);
    expect(condition.candidacy).toBe('ready');
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('is in force at once, says why and what to do, and is remembered by the next process', async () => {
    const { quarantine, condition } = await open();
    const entered = quarantine.enter('after entry 7 the state differs');
    expect(condition.candidacy).toBe('never');
    expect(condition.detailOf('quarantined')).toContain('after entry 7 the state differs');
    expect(condition.detailOf('quarantined')).toContain(`raft-node --wipe --data-dir ${dataDir}`);
    await entered;
    const next = await open();
    expect(next.quarantine.isEntered).toBe(true);
    expect(next.condition.detailOf('quarantined')).toBe(condition.detailOf('quarantined'));
    expect(await readdir(dataDir)).toEqual(['quarantine.json']);
  });

  it('keeps the first reason', async () => {
    const { quarantine, condition } = await open();
    await quarantine.enter('the first');
    await quarantine.enter('the second');
    expect(condition.detailOf('quarantined')).toContain('the first');
  });

  it('is in force when the disk takes no marker', async () => {
    const { quarantine } = await open();
    await rm(dataDir, { recursive: true });
    await quarantine.enter('why');
    expect(quarantine.isEntered).toBe(true);
    await writeFile(dataDir, '').then(() => rm(dataDir));
    dataDir = await mkdtemp(join(tmpdir(), 'ringraft-quarantine-'));
  });

  it.each([[''], ['{"detail": 7}'], ['{"det']])('is entered when the marker holds %j', async (text) => {
    await writeFile(join(dataDir, 'quarantine.json'), text);
    const { condition } = await open();
    expect(condition.detailOf('quarantined')).toContain(join(dataDir, 'quarantine.json'));
  });

  it('does not take a marker that was never finished for one', async () => {
    await writeFile(join(dataDir, 'quarantine.json.new'), '{"det');
    expect((await open()).quarantine.isEntered).toBe(false);
  });
});
