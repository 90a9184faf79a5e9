import type { Entry, EntryType, HardState, LogIndex, Term } from '@app/raft';
import { getUint64, setUint64 } from './uint64.js';

/** What the bodies of frames hold. docs/storage.md has the tables. */
export const RecordType = {
  SegmentHeader: 1,
  Entry: 2,
  HardState: 3,
  /** A segment header with which the log begins anew: nothing in the segments before it counts any more. */
  ResetHeader: 4,
  /** Holds nothing: that it is there proves that all before it is durable. */
  Seal: 5,
} as const;

/** Where a log, or a part of it, begins: the entry before its first one. */
export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

export interface SegmentHeader {
  readonly segment: number;
  readonly base: LogPosition;
  /** As of the start of the segment, so that removing the segments before it never loses hard state. */
  readonly hardState: HardState;
  readonly clusterId: string;
  readonly nodeId: string;
  readonly incarnation: string;
}

export const FORMAT_VERSION = 1;
const MAGIC = 0x4c415752;
const NO_VOTE = 0xffff;
const ENTRY_FIXED_BYTES = 17;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function entryBodyBytes(entry: Entry): number {
  return ENTRY_FIXED_BYTES + entry.data.length;
}

export function writeEntryBody(target: Uint8Array, at: number, entry: Entry): void {
  const view = new DataView(target.buffer, target.byteOffset + at, ENTRY_FIXED_BYTES);
  setUint64(view, 0, entry.index);
  setUint64(view, 8, entry.term);
  view.setUint8(16, entry.type);
  target.set(entry.data, at + ENTRY_FIXED_BYTES);
}

/** The entry's data is a view into `body`. */
export function readEntryBody(body: Uint8Array): Entry | undefined {
  if (body.length < ENTRY_FIXED_BYTES) return undefined;
  const view = viewOf(body);
  const entry = {
    index: getUint64(view, 0),
    term: getUint64(view, 8),
    type: view.getUint8(16) as EntryType,
    data: body.subarray(ENTRY_FIXED_BYTES),
  };
  return entry.index > 0 && entry.term > 0 ? entry : undefined;
}

export function hardStateBody(hardState: HardState): Uint8Array {
  const vote = hardState.votedFor === undefined ? undefined : encodeText(hardState.votedFor);
  const body = new Uint8Array(18 + (vote?.length ?? 0));
  const view = viewOf(body);
  setUint64(view, 0, hardState.currentTerm);
  setUint64(view, 8, hardState.commitIndex);
  view.setUint16(16, vote?.length ?? NO_VOTE, true);
  if (vote) body.set(vote, 18);
  return body;
}

export function readHardStateBody(body: Uint8Array): HardState | undefined {
  return allOf(body, readHardState);
}

export function segmentHeaderBody(header: SegmentHeader): Uint8Array {
  const hardState = hardStateBody(header.hardState);
  const texts = [header.clusterId, header.nodeId, header.incarnation].map(encodeText);
  const body = new Uint8Array(32 + hardState.length + texts.reduce((sum, text) => sum + 2 + text.length, 0));
  const view = viewOf(body);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FORMAT_VERSION, true);
  setUint64(view, 8, header.segment);
  setUint64(view, 16, header.base.index);
  setUint64(view, 24, header.base.term);
  body.set(hardState, 32);
  let at = 32 + hardState.length;
  for (const text of texts) {
    view.setUint16(at, text.length, true);
    body.set(text, at + 2);
    at += 2 + text.length;
  }
  return body;
}

/** The version alone: a log of a later version may have any body behind it. Undefined if this is no log at all. */
export function readFormatVersion(body: Uint8Array): number | undefined {
  if (body.length < 8) return undefined;
  const view = viewOf(body);
  return view.getUint32(0, true) === MAGIC ? view.getUint32(4, true) : undefined;
}

export function readSegmentHeaderBody(body: Uint8Array): SegmentHeader | undefined {
  return allOf(body, (reader) => {
    reader.skip(8);
    return {
      segment: reader.uint64(),
      base: { index: reader.uint64(), term: reader.uint64() },
      hardState: readHardState(reader),
      clusterId: reader.text(reader.uint16()),
      nodeId: reader.text(reader.uint16()),
      incarnation: reader.text(reader.uint16()),
    };
  });
}

function readHardState(reader: BodyReader): HardState {
  const currentTerm = reader.uint64();
  const commitIndex = reader.uint64();
  const voteBytes = reader.uint16();
  return { currentTerm, votedFor: voteBytes === NO_VOTE ? undefined : reader.text(voteBytes), commitIndex };
}

function encodeText(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  if (bytes.length >= NO_VOTE) throw new RangeError(`a name of ${bytes.length} bytes is too long for the log`);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Undefined when the body does not hold exactly what `read` takes. */
function allOf<T>(body: Uint8Array, read: (reader: BodyReader) => T): T | undefined {
  const reader = new BodyReader(body);
  try {
    const value = read(reader);
    return reader.isAtEnd ? value : undefined;
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

class BodyReader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly body: Uint8Array) {
    this.view = viewOf(body);
  }

  get isAtEnd(): boolean {
    return this.at === this.body.length;
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  uint16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }

  uint64(): number {
    this.at += 8;
    const value = getUint64(this.view, this.at - 8);
    if (Number.isNaN(value)) throw new RangeError('the number is too large');
    return value;
  }

  text(bytes: number): string {
    if (this.at + bytes > this.body.length) throw new RangeError('the text ends outside the record');
    this.at += bytes;
    return decoder.decode(this.body.subarray(this.at - bytes, this.at));
  }
}
