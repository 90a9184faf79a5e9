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
  const version = await readVersion(directory);
  await verifyLogs(directory, version);
  if (files === 'logs') return;
  for (const name of tableNamesIn(directory, await readdir(directory), version)) {
    await naming(directory, name, () => verifyTable(join(directory, name)));
  }
}

/** Of all tables that the version names. `CorruptStateError` if one is missing. */
export function tableNamesIn(directory: string, names: readonly string[], { tables }: LevelVersion): string[] {
  const found = new Set(names);
  return Array.from(tables, (number) => {
    const name = [`${padded(number)}.ldb`, `${padded(number)}.sst`].find((each) => found.has(each));
    if (name === undefined) throw new CorruptStateError(directory, `the file ${padded(number)}.ldb is missing`);
    return name;
  });
}

/** Of the manifest that counts. `CorruptStateError` if nothing says which one does. */
export function manifestNameOf(directory: string): Promise<string> {
  return naming(directory, 'CURRENT', async () => {
    const name = /^(MANIFEST-[0-9]{6,})\n$/.exec(await readFile(join(directory, 'CURRENT'), 'latin1'))?.[1];
    if (name === undefined) throw new LevelFormatError('it names no manifest');
    return name;
  });
}

/** What the manifest says that is there; a record that was under way at its end does not count. `CorruptStateError` if it is damaged. */
export async function readVersion(directory: string): Promise<LevelVersion> {
  const name = await manifestNameOf(directory);
  return naming(directory, name, async () => {
    const { records, defect } = await readLevelLog(join(directory, name));
    refuseDamage(defect);
    return versionOf(records);
  });
}

/** Of the logs that hold what the tables do not, the oldest first. */
export function logNumbersIn(names: readonly string[], { logNumber, previousLogNumber }: LevelVersion): number[] {
  return names
    .map((name) => Number(/^([0-9]+)\.log$/.exec(name)?.[1] ?? NaN))
    .filter((number) => number >= logNumber || (number === previousLogNumber && number > 0))
    .sort((one, other) => one - other);
}

/** Batches are numbered by their changes; what a log or the end of the manifest lost leaves a hole. */
async function verifyLogs(directory: string, version: LevelVersion): Promise<void> {
  const found = logNumbersIn(await readdir(directory), version);
  if (version.logNumber > 0 && !found.includes(version.logNumber)) {
    throw new CorruptStateError(directory, `the file ${logNameOf(version.logNumber)} is missing`);
  }
  let next: number | undefined;
  let cutOff: string | undefined;
  for (const number of found) {
    const name = logNameOf(number);
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

export function logNameOf(number: number): string {
  return `${padded(number)}.log`;
}

function padded(number: number): string {
  return String(number).padStart(6, '0');
}
