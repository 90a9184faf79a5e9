import type { Entry } from '@app/raft';

/** As the core counts an entry against its bounds: with what it costs beside its data. */
export function entryBytes({ data }: Entry): number {
  return data.byteLength + 32;
}
