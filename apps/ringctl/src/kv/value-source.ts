import { open } from 'node:fs/promises';
import { CommandFailure } from '../command-failure.js';
import { EXIT } from '../exit-code.js';
import type { Io } from '../io.js';

/** No gateway can be told to take more; what is read is held in memory. */
const VALUE_BYTES_MAX = 8 * 1024 * 1024;

/** The value that is to be written: the argument, stdin for `-`, or a file. Throws a `CommandFailure` unless exactly one is given. */
export async function readValue(argument: string | undefined, file: string | undefined, io: Io): Promise<Buffer> {
  if ((argument === undefined) === (file === undefined)) {
    const message = file === undefined ? 'there is no value' : 'a value and --file cannot both be written';
    throw new CommandFailure(EXIT.USAGE, message, {
      hint: 'say VALUE, - to read it from stdin, or --file FILE; a value that looks like an option stands behind --',
    });
  }
  if (file !== undefined) {
    const handle = await open(file);
    return collected(handle.createReadStream(), file);
  }
  if (argument !== '-') return Buffer.from(argument!);
  if (io.stdin.isTTY) io.stderr.write('reading the value from the terminal; Ctrl-D ends it\n');
  return collected(io.stdin, 'stdin', io.interrupted);
}

async function collected(stream: NodeJS.ReadableStream, name: string, interrupted?: AbortSignal): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const readable = stream as NodeJS.ReadableStream & { destroy(): void };
  const stop = (): void => readable.destroy();
  interrupted?.addEventListener('abort', stop);
  try {
    for await (const part of stream) {
      const chunk = Buffer.from(part);
      bytes += chunk.length;
      if (bytes > VALUE_BYTES_MAX) {
        throw new CommandFailure(
          EXIT.FAILED,
          `${name} has more than the ${VALUE_BYTES_MAX} bytes that any value may have`,
        );
      }
      parts.push(chunk);
    }
  } catch (error) {
    if (interrupted?.aborted) throw new CommandFailure(EXIT.INTERRUPTED, 'interrupted: nothing was written');
    throw error;
  } finally {
    interrupted?.removeEventListener('abort', stop);
  }
  return Buffer.concat(parts);
}
