import { Command, Option } from 'commander';
import { CommandFailure } from '../command-failure.js';
import { EXIT } from '../exit-code.js';

type KeyEncoding = 'utf8' | 'hex' | 'base64';

export interface KeyOptions {
  readonly keyEncoding: KeyEncoding;
}

/** `KEY` and how it is written. */
export function addKeyArgument(command: Command): Command {
  return command
    .argument('<key>', 'of any bytes; what is between the first { and } decides its cluster')
    .addOption(
      new Option('--key-encoding <encoding>', 'how the key is written here: a key that is no text needs hex or base64')
        .choices(['utf8', 'hex', 'base64'] satisfies KeyEncoding[])
        .default('utf8'),
    );
}

/** The bytes of a key. Throws a `CommandFailure` for what is not written in this encoding, and for no bytes at all. */
export function parseKey(text: string, { keyEncoding }: KeyOptions): Buffer {
  // The system gives a program its arguments as bytes, and Node makes text of them: what was none is lost by now.
  if (keyEncoding === 'utf8' && text.includes('\ufffd')) {
    throw unusable('the key is no valid UTF-8', 'write it as hex or base64, with --key-encoding');
  }
  const key = Buffer.from(text, keyEncoding);
  const isWhole = keyEncoding === 'utf8' || sameText(key.toString(keyEncoding), text, keyEncoding);
  if (!isWhole) throw unusable(`the key is not written in ${keyEncoding}`);
  if (key.length === 0) throw unusable('the key is empty', 'a key has at least one byte');
  return key;
}

/** As `GET /v1/kv/{key}` takes it. A dot is encoded, too, so that nobody on the way takes a key for a path to shorten. */
export function keyPath(key: Uint8Array): string {
  const segment = Array.from(key, (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_~-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  });
  return `/v1/kv/${segment.join('')}`;
}

/** For people, on one line: what is no text, or would move the cursor, as hex. */
export function keyText(key: Buffer): string {
  const text = textOf(key);
  return text === null || /\p{C}/u.test(text) ? `0x${key.toString('hex')}` : text;
}

/** Null for what is no valid UTF-8. */
export function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function sameText(decoded: string, given: string, encoding: KeyEncoding): boolean {
  if (encoding === 'hex') return decoded === given.toLowerCase();
  return decoded.replace(/=+$/, '') === given.replace(/=+$/, '');
}

function unusable(message: string, hint?: string): CommandFailure {
  return new CommandFailure(EXIT.USAGE, message, { hint });
}
