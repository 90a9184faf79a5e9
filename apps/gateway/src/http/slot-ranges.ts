/** `0-4,7,9-12`: ascending slots as text that people and scripts can read. */
export function slotRanges(slots: readonly number[]): string {
  const ranges: string[] = [];
  for (let at = 0; at < slots.length;) {
    const first = slots[at]!;
    let last = first;
    while (slots[++at] === last + 1) last++;
    ranges.push(first === last ? String(first) : `${first}-${last}`);
  }
  return ranges.join(',');
}
