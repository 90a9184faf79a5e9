/** How many slots there are, for ever: the same 16384 as in Redis Cluster. */
export const SLOT_COUNT = 16384;

/** Of the global encoder only what this file uses, so that a pure lib needs neither DOM nor Node types. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array };

const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * The slot of a key: CRC16/XMODEM of the key, or of its {tag}, modulo 16384, exactly as the Redis Cluster
 * specification has it ("Hash tags"). The tag is what stands between the first `{` and the first `}` after it;
 * without such a pair, or with nothing between, the whole key counts. Keys with the same tag share a slot.
 *
 * A key is any bytes and is not looked at as text; a string stands for its UTF-8 bytes.
 *
 * The package `cluster-key-slot` is not used here, only compared with in the tests: after an empty pair of
 * braces it goes on to the next `}` (`foo{}{bar}` is hashed as `{bar`), where the specification takes the whole key.
 */
export function slotOf(key: Uint8Array | string): number {
  const bytes = typeof key === 'string' ? new TextEncoder().encode(key) : key;
  const open = bytes.indexOf(OPENING_BRACE);
  if (open >= 0) {
    const close = bytes.indexOf(CLOSING_BRACE, open + 1);
    if (close > open + 1) return crc16(bytes, open + 1, close) % SLOT_COUNT;
  }
  return crc16(bytes, 0, bytes.length) % SLOT_COUNT;
}

/** CRC16/XMODEM (polynomial 0x1021, initial value 0, nothing reflected) of `bytes[from..to)`. */
export function crc16(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0;
  for (let at = from; at < to; at++) {
    crc = ((crc << 8) & 0xffff) ^ CRC16_OF_BYTE[(crc >> 8) ^ bytes[at]!]!;
  }
  return crc;
}

const CRC16_OF_BYTE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});
