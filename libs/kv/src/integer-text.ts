import { byteString } from './bytes.js';

/** '-9223372036854775808' */
const TEXT_BYTES_MAX = 20;
const INTEGER = /^(?:0|-?[1-9][0-9]*)$/;

/** The signed 64-bit integer that this is the decimal text of, in the one form that `integerText` gives. */
export function parseInteger(text: Uint8Array): bigint | undefined {
  if (text.length > TEXT_BYTES_MAX) return undefined;
  const characters = byteString(text);
  if (!INTEGER.test(characters)) return undefined;
  const value = BigInt(characters);
  return isInt64(value) ? value : undefined;
}

export function integerText(value: bigint): Uint8Array {
  const characters = value.toString();
  const text = new Uint8Array(characters.length);
  for (let i = 0; i < text.length; i++) text[i] = characters.charCodeAt(i);
  return text;
}

export function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}
