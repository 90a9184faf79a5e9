import { ByteCursor, LevelFormatError } from './byte-cursor.js';

/** What a manifest says is there. */
export interface LevelVersion {
  /** Of the files with tables. */
  readonly tables: ReadonlySet<number>;
  /** The first log that is not in the tables yet; 0 in a database that was never opened whole. */
  readonly logNumber: number;
  readonly previousLogNumber: number;
  /** Changes are numbered without a gap; at least these many there were when the manifest was last written. */
  readonly lastSequence: number;
}

const COMPARATOR = 1;
const LOG_NUMBER = 2;
const NEXT_FILE_NUMBER = 3;
const LAST_SEQUENCE = 4;
const COMPACT_POINTER = 5;
const DELETED_FILE = 6;
const NEW_FILE = 7;
const PREVIOUS_LOG_NUMBER = 9;

/** Takes the records of a manifest together, each of which changes what those before it say. */
export function versionOf(records: readonly Uint8Array[]): LevelVersion {
  const tables = new Set<number>();
  let logNumber = 0;
  let previousLogNumber = 0;
  let lastSequence = 0;
  for (const record of records) {
    const removed: number[] = [];
    const added: number[] = [];
    for (const cursor = new ByteCursor(record); !cursor.isAtEnd;) {
      const tag = cursor.varint();
      switch (tag) {
        case COMPARATOR:
          cursor.string();
          break;
        case LOG_NUMBER:
          logNumber = cursor.varint();
          break;
        case NEXT_FILE_NUMBER:
          cursor.varint();
          break;
        case LAST_SEQUENCE:
          lastSequence = cursor.varint();
          break;
        case COMPACT_POINTER:
          cursor.varint();
          cursor.string();
          break;
        case DELETED_FILE:
          cursor.varint();
          removed.push(cursor.varint());
          break;
        case NEW_FILE:
          cursor.varint();
          added.push(cursor.varint());
          cursor.varint();
          cursor.string();
          cursor.string();
          break;
        case PREVIOUS_LOG_NUMBER:
          previousLogNumber = cursor.varint();
          break;
        default:
          throw new LevelFormatError(`a manifest with the unknown tag ${tag}`);
      }
    }
    // A file that only moves to another level is in both lists.
    for (const number of removed) tables.delete(number);
    for (const number of added) tables.add(number);
  }
  return { tables, logNumber, previousLogNumber, lastSequence };
}
