import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CorruptStateError } from '../../errors.js';
import { ByteCursor, LevelFormatError } from './byte-cursor.js';
import { readLevelLog, type LevelLogDefect } from './level-log.js';
import { versionOf, type LevelVersion } from './level-manifest.js';
import { verifyTable } from './level-table.js';

export type VerifiedFiles = 'all' | 'logs';

/**
 * Verifies the files of a LevelDB that is not open, because LevelDB itself is lenient where we cannot be, and the binding has no option for
 * it: a start passes over damaged parts of a log, so that a change in the middle is missing under newer ones, and reads believe tables, their
 * indexes and filters without a look at their checksums, so that a row can be missing, or be one of its earlier selves, without a sign.
 *
 * `CorruptStateError` names the file. Only the end of the last log may lack a batch that was under way: it was never durable. `logs` leaves
 * the tables out.
 */
export async function verifyLevel(directory: string, files: VerifiedFiles): Promise<void> {
  const version = await naming(directory, 'CURRENT', () => readVersion(directory));
  await verifyLogs(directory, version);
  if (files === 'logs') return;
  const names = new Set(await readdir(directory));
  for (const number of version.tables) {
    const name = [`${padded(number)}.ldb`, `${padded(number)}.sst`].find((each) => names.has(each));
    if (name === undefined) throw new CorruptStateError(directory, `the file ${padded(number)}.ldb is missing`);
    await naming(directory, name, () => verifyTable(join(directory, name)));
  }
}

async function readVersion(directory: string): Promise<LevelVersion> {
  const name = /^(MANIFEST-[0-9]{6,})\n$/.exec(await readFile(join(directory, 'CURRENT'), 'latin1'))?.[1];
  if (name === undefined) throw new LevelFormatError('it names no manifest');
  return naming(directory, name, async () => {
    const { records, defect } = await readLevelLog(join(directory, name));
    refuseDamage(defect);
    return versionOf(records);
  });
}

/** Batches are numbered by their changes; what a log or the end of the manifest lost leaves a hole. */
async function verifyLogs(directory: string, version: LevelVersion): Promise<void> {
  const found = (await readdir(directory))
    .map((name) => Number(/^([0-9]+)\.log$/.exec(name)?.[1] ?? NaN))
    .filter((number) => number >= version.logNumber || (number === version.previousLogNumber && number > 0))
    .sort((one, other) => one - other);
  if (version.logNumber > 0 && !found.includes(version.logNumber)) {
    throw new CorruptStateError(directory, `the file ${padded(version.logNumber)}.log is missing`);
  }
  let next: number | undefined;
  let cutOff: string | undefined;
  for (const number of found) {
    const name = `${padded(number)}.log`;
    await naming(directory, name, async () => {
      const { records, defect } = await readLevelLog(join(directory, name));
      refuseDamage(defect);
      if (records.length > 0 && cutOff !== undefined)
        throw new LevelFormatError(`${cutOff} is not whole, and more follows`);
      for (const record of records) {
        const batch = new ByteCursor(record);
        const sequence = batch.uint64();
        const isNext = next === undefined ? sequence <= version.lastSequence + 1 : sequence === next;
        if (!isNext) throw new LevelFormatError(`changes are missing before number ${sequence}`);
        next = sequence + batch.uint32();
      }
      if (defect) cutOff = name;
    });
  }
}

function refuseDamage(defect: LevelLogDefect | undefined): void {
  if (defect && !defect.isTorn) throw new LevelFormatError(`${defect.reason}, at byte ${defect.offset}`);
}

async function naming<T>(directory: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LevelFormatError) throw new CorruptStateError(directory, `the file ${name}: ${error.message}`);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new CorruptStateError(directory, `the file ${name} is missing`, { cause: error });
    }
    throw error;
  }
}

function padded(number: number): string {
  return String(number).padStart(6, '0');
}
