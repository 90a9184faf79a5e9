const HIGH = 2 ** 32;

/** Whole numbers up to 2^53 - 1, little-endian in 8 bytes, without a BigInt. */
export function setUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % HIGH, true);
  view.setUint32(offset + 4, Math.floor(value / HIGH), true);
}

/** `NaN` if the number is too large for one of ours. */
export function getUint64(view: DataView, offset: number): number {
  const value = view.getUint32(offset + 4, true) * HIGH + view.getUint32(offset, true);
  return Number.isSafeInteger(value) ? value : NaN;
}
