import { crc32 } from 'node:zlib';

/** Which directories of a state's home count; all others are left over and may go. */
export interface StatePointer {
  readonly current: string;
  /** The one that is being received, if any. */
  readonly staged: string | undefined;
}

const TITLE = 'ringraft state 1';
const DIRECTORY_NAME = /^db-[1-9][0-9]{0,14}$/;

/** Text, so that people can read it; the last line is a CRC-32 of all before it. */
export function encodePointer({ current, staged }: StatePointer): string {
  const text = `${TITLE}\ncurrent ${current}\n${staged === undefined ? '' : `staged ${staged}\n`}`;
  return `${text}crc32 ${checksumOf(text)}\n`;
}

/** `undefined` if it is damaged. */
export function decodePointer(text: string): StatePointer | undefined {
  const parts = /^ringraft state 1\ncurrent (\S+)\n(?:staged (\S+)\n)?crc32 [0-9a-f]{8}\n$/.exec(text);
  if (parts === null) return undefined;
  const [, current, staged] = parts;
  if (current === undefined || !isDatabaseName(current)) return undefined;
  if (staged !== undefined && (!isDatabaseName(staged) || staged === current)) return undefined;
  const pointer = { current, staged };
  return encodePointer(pointer) === text ? pointer : undefined;
}

export function isDatabaseName(name: string): boolean {
  return DIRECTORY_NAME.test(name);
}

export function databaseName(number: number): string {
  return `db-${number}`;
}

export function databaseNumber(name: string): number {
  return Number(name.slice('db-'.length));
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
