const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1.4 MiB` */
export function bytesText(bytes: number): string {
  let unit = 0;
  let count = bytes;
  while (count >= 1024 && unit < UNITS.length - 1) {
    count /= 1024;
    unit++;
  }
  return `${unit === 0 ? count : count.toFixed(1)} ${UNITS[unit]}`;
}
