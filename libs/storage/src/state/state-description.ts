import { getUint64, setUint64 } from '../uint64.js';

/** What a state stands for: all entries through `index`, of which the last has `term`, under the configuration in force there. */
export interface StateDescription {
  readonly index: number;
  readonly term: number;
  readonly configurationIndex: number;
  /** Opaque here. */
  readonly configuration: Uint8Array;
}

/** The description as it lies in the database, in the same batch as the rows that it speaks of. */
export interface StoredDescription extends StateDescription {
  /** It came as a snapshot and nothing was applied since: the log need not have caught up with it. */
  readonly isInstalled: boolean;
}

const FORMAT = 1;
const HEADER_BYTES = 26;

/**
 * Little-endian:
 *
 *      0  u8   format: 1
 *      1  u8   1: installed, nothing applied since
 *      2  u64  index
 *     10  u64  term
 *     18  u64  configuration index
 *     26       configuration
 */
export function encodeDescription(description: StoredDescription): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + description.configuration.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, FORMAT);
  view.setUint8(1, description.isInstalled ? 1 : 0);
  setUint64(view, 2, description.index);
  setUint64(view, 10, description.term);
  setUint64(view, 18, description.configurationIndex);
  bytes.set(description.configuration, HEADER_BYTES);
  return bytes;
}

/** `undefined` if the bytes are none, or of another format. */
export function decodeDescription(bytes: Uint8Array): StoredDescription | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isInstalled = view.getUint8(1);
  if (view.getUint8(0) !== FORMAT || isInstalled > 1) return undefined;
  return {
    isInstalled: isInstalled === 1,
    index: getUint64(view, 2),
    term: getUint64(view, 10),
    configurationIndex: getUint64(view, 18),
    configuration: bytes.slice(HEADER_BYTES),
  };
}
