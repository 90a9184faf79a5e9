import type { Entry, LogIndex } from '@app/raft';
import type { DoneWith } from './completion.js';
import { CorruptLogError } from './errors.js';
import { readFrame } from './frame.js';
import { readEntryBody, RecordType } from './record.js';
import type { EntryPlace, Segment } from './segment.js';

/** Frames closer than this are fetched with one read, with what lies between them. */
const GAP_BYTES_MAX = 4096;

/** Neighbouring frames of one segment. */
interface Span {
  readonly segment: Segment;
  readonly places: EntryPlace[];
  end: number;
}

/**
 * Reads the entries `from <= index < to`, at least one and then as many as fit into `bytesMax`, and checks each against its
 * checksums again: what the disk returns now need not be what it returned at the start.
 */
export function readEntries(
  segments: readonly Segment[],
  from: LogIndex,
  to: LogIndex,
  bytesMax: number,
  done: DoneWith<readonly Entry[]>,
): void {
  const spans = plan(segments, from, to, bytesMax);
  for (const { segment } of spans) segment.retain();
  const finish: typeof done = (...outcome) => {
    for (const { segment } of spans) segment.release();
    done(...outcome);
  };
  const entries: Entry[] = [];
  const readSpan = (position: number): void => {
    const span = spans[position];
    if (!span) return finish(undefined, entries);
    const start = span.places[0]!.offset;
    span.segment.file.read(start, span.end - start, (error, bytes) => {
      if (error) return finish(error, undefined);
      for (const place of span.places) {
        const entry = decode(span.segment, place, bytes, start);
        if (entry instanceof CorruptLogError) return finish(entry, undefined);
        entries.push(entry);
      }
      readSpan(position + 1);
    });
  };
  readSpan(0);
}

function plan(segments: readonly Segment[], from: LogIndex, to: LogIndex, bytesMax: number): Span[] {
  const spans: Span[] = [];
  let holder = segments.findLastIndex((segment) => segment.placeOf(from) !== undefined);
  let bytes = 0;
  for (let index = from; index < to; index += 1) {
    while (holder < segments.length && segments[holder]?.placeOf(index) === undefined) holder += 1;
    const segment = segments[holder];
    const place = segment?.placeOf(index);
    if (!segment || !place) throw new RangeError(`entry ${index} has no place in the log`);
    bytes += place.frameBytes;
    if (bytes > bytesMax && index > from) break;
    const span = spans.at(-1);
    if (span?.segment === segment && place.offset - span.end <= GAP_BYTES_MAX) {
      span.places.push(place);
      span.end = place.offset + place.frameBytes;
    } else {
      spans.push({ segment, places: [place], end: place.offset + place.frameBytes });
    }
  }
  return spans;
}

function decode(
  segment: Segment,
  { index, offset }: EntryPlace,
  bytes: Uint8Array,
  start: number,
): Entry | CorruptLogError {
  const corrupt = (reason: string): CorruptLogError =>
    new CorruptLogError(segment.file.name, offset, `entry ${index}`, reason);
  const reading = readFrame(bytes, offset - start, segment.salt, start);
  if (reading.state === 'blank') return corrupt('it was there before, and is gone');
  if (reading.state !== 'whole') return corrupt(reading.reason);
  const entry = reading.value.type === RecordType.Entry ? readEntryBody(reading.value.body) : undefined;
  return entry?.index === index ? entry : corrupt('it was there before, and something else is there now');
}
