import { closeSync, openSync, readFileSync, readSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { recordsOf, type SegmentRecord } from '../../libs/storage/src/testing/segment-records.js';

/** A byte in a file of a node. */
export interface Place {
  /** The whole path. */
  readonly file: string;
  readonly offset: number;
}

/** Flips the lowest bit of the byte, and touches nothing else of the file: it may be in use. */
export function flipBit({ file, offset }: Place): void {
  const opened = openSync(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    if (readSync(opened, byte, 0, 1, offset) !== 1) throw new Error(`${file} ends before byte ${offset}`);
    byte[0]! ^= 1;
    writeSync(opened, byte, 0, 1, offset);
  } finally {
    closeSync(opened);
  }
}

/** The last record in the log of a node that is such a one, and the segment that holds it. */
export function lastRecordInLog(
  dataDir: string,
  isWanted: (record: SegmentRecord) => boolean,
): { file: string; record: SegmentRecord; isFollowed: boolean } {
  const directory = join(dataDir, 'log');
  const segments = readdirSync(directory).filter((name) => name.endsWith('.log'));
  const records = segments
    .sort()
    .map((name) => join(directory, name))
    .flatMap((file) => recordsOf(readFileSync(file)).map((record) => ({ file, record })));
  const at = records.findLastIndex(({ record }) => isWanted(record));
  if (at < 0) throw new Error(`none of the ${records.length} records in ${directory} is the one that is wanted`);
  return { ...records[at]!, isFollowed: at < records.length - 1 };
}

/** The first place where the state of a node holds these bytes, in files of LevelDB with such an ending. */
export function placeInState(dataDir: string, bytes: Uint8Array, ending: '.log' | '.ldb'): Place {
  const state = join(dataDir, 'state');
  const current = /^current (\S+)$/m.exec(readFileSync(join(state, 'pointer'), 'latin1'))?.[1];
  if (current === undefined) throw new Error(`${state} has no state`);
  const directory = join(state, current);
  const places = readdirSync(directory)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(directory, name))
    .map((file) => ({ file, offset: readFileSync(file).indexOf(bytes) }));
  const place = places.find(({ offset }) => offset >= 0);
  if (place === undefined)
    throw new Error(`none of the ${places.length} files *${ending} in ${directory} holds the bytes`);
  return place;
}
