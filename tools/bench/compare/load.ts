/** What is asked of every system alike. */
export const WORKS = ['put', 'get', 'mixed'] as const;
export type Work = (typeof WORKS)[number];

export const KEY_CHOICES = ['uniform', 'zipf'] as const;
export type KeyChoice = (typeof KEY_CHOICES)[number];

/** One row of the comparison: the same for every system. */
export interface Load {
  readonly work: Work;
  readonly connections: number;
  readonly valueBytes: number;
  readonly keys: KeyChoice;
}

/** How many keys there are; less when the values are large, so that the prepared requests stay within memory. */
const KEYS_MAX = 10_000;
const PREPARED_BYTES_MAX = 48 * 1024 * 1024;

export function keyCountFor(valueBytes: number): number {
  return Math.max(1, Math.min(KEYS_MAX, Math.floor(PREPARED_BYTES_MAX / valueBytes)));
}

export function keyName(index: number): string {
  return `bench-${String(index).padStart(7, '0')}`;
}

export function describeLoad({ work, connections, valueBytes, keys }: Load): string {
  const size = valueBytes % 1024 === 0 ? `${valueBytes / 1024} KiB` : `${valueBytes} B`;
  return `${work}, ${connections} ${connections === 1 ? 'connection' : 'connections'}, ${size}, ${keys}`;
}
