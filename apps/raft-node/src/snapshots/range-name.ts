const SHOWN_KEY_BYTES = 32;

interface NamedRange {
  readonly from: Uint8Array;
  /** undefined: the end. */
  readonly to: Uint8Array | undefined;
}

/** A range in logs and errors: its number in the stream and its keys in hexadecimal, long ones cut. */
export function rangeName(sequence: number, { from, to }: NamedRange): string {
  return `range ${sequence}, keys ${keyName(from)} to ${to === undefined ? 'the end' : keyName(to)}`;
}

function keyName(key: Uint8Array): string {
  const shown = Buffer.from(key.buffer, key.byteOffset, Math.min(key.length, SHOWN_KEY_BYTES)).toString('hex');
  return `0x${shown}${key.length > SHOWN_KEY_BYTES ? '...' : ''}`;
}
