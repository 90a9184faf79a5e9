import type { IncomingHttpHeaders } from 'node:http';

/** Where a key is, in the words of `-o json`; null where the answer does not say. */
export interface KeyLocation {
  readonly cluster: string | null;
  readonly slot: number | null;
  readonly epoch: number | null;
}

/** From the headers of an answer about the key. */
export function keyLocation(headers: IncomingHttpHeaders): KeyLocation {
  const { 'ringraft-cluster': cluster, 'ringraft-slot': slot, 'ringraft-epoch': epoch } = headers;
  return { cluster: text(cluster), slot: number(slot), epoch: number(epoch) };
}

/** The revision behind an ETag; null when there is none. */
export function revisionOf({ etag }: IncomingHttpHeaders): string | null {
  return /^"(\d+)"$/.exec(etag ?? '')?.[1] ?? null;
}

function text(header: string | string[] | undefined): string | null {
  return typeof header === 'string' ? header : null;
}

function number(header: string | string[] | undefined): number | null {
  const value = Number(text(header) ?? NaN);
  return Number.isSafeInteger(value) ? value : null;
}
