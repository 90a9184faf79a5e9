import { SLOT_COUNT } from './slot.js';

/** Ascending slots as Redis Cluster prints them: `0-4,7,9-12`; empty for none. */
export function slotRanges(slots: readonly number[]): string {
  const parts: string[] = [];
  for (let first = 0; first < slots.length;) {
    let last = first;
    while (slots[last + 1] === slots[last]! + 1) last++;
    parts.push(first === last ? `${slots[first]}` : `${slots[first]}-${slots[last]}`);
    first = last + 1;
  }
  return parts.join(',');
}

/** The slots of such a text; undefined when it is malformed, not ascending, or names a slot that does not exist. */
export function parseSlotRanges(text: string): number[] | undefined {
  const slots: number[] = [];
  if (text === '') return slots;
  for (const part of text.split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (!match) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first || last >= SLOT_COUNT || first <= (slots.at(-1) ?? -1)) return undefined;
    for (let slot = first; slot <= last; slot++) slots.push(slot);
  }
  return slots;
}
