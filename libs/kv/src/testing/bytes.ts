/** Shorthands of the specs. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

export function hex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0');
  return out;
}

export function fromHex(hexadecimal: string): Uint8Array {
  return Uint8Array.from(hexadecimal.replaceAll(' ', '').match(/../g) ?? [], (byte) => parseInt(byte, 16));
}
