import { PassThrough } from 'node:stream';
import type { Io } from '../io.js';

/** Keeps what a command prints, and gives it what it reads. */
export function testIo(stdin: Uint8Array = new Uint8Array()): Io & { printed(): { stdout: string; stderr: string } } {
  const texts = { stdout: '', stderr: '' };
  const keeping = (name: keyof typeof texts): PassThrough =>
    new PassThrough().on('data', (part: Buffer) => (texts[name] += part.toString()));
  const input = new PassThrough();
  input.end(stdin);
  return {
    stdin: input,
    stdout: keeping('stdout'),
    stderr: keeping('stderr'),
    interrupted: new AbortController().signal,
    printed: () => ({ ...texts }),
  };
}
