import { ByteReader } from './byte-reader.js';
import { ByteWriter, varintBytes } from './byte-writer.js';
import { DecodeError, UnsupportedVersionError } from './decode-error.js';

/** version, logTimeMs, count, then each encoded command with its length. */
const VERSION = 1;

const writer = new ByteWriter();

/** What the data of one log entry holds. */
export interface CommandBatch {
  /** The leader's clock when it proposed the entry, in milliseconds since the epoch. */
  readonly logTimeMs: number;
  /** Encoded commands, to be applied in this order. */
  readonly commands: readonly Uint8Array[];
}

/**
 * The data of a log entry. The commands go in as they are: they must have passed `decodeCommand` (or come from
 * `encodeCommand`), for a version that the state machine does not know stops every node that applies it.
 *
 * A batch without commands is lawful: it moves log time on.
 */
export function encodeBatch(logTimeMs: number, commands: readonly Uint8Array[]): Uint8Array {
  let bytes = 1 + varintBytes(logTimeMs) + varintBytes(commands.length);
  for (const command of commands) bytes += varintBytes(command.length) + command.length;
  writer.start(bytes).byte(VERSION).varint(logTimeMs).varint(commands.length);
  for (const command of commands) writer.bytes(command);
  return writer.finish();
}

/** The commands are views into `data`. Throws `DecodeError` or `UnsupportedVersionError`. */
export function decodeBatch(data: Uint8Array): CommandBatch {
  const reader = new ByteReader(data);
  const version = reader.byte('version');
  if (version !== VERSION) throw new UnsupportedVersionError('command batch', 'version', version);
  const logTimeMs = reader.varint('logTimeMs');
  const count = reader.varint('count');
  if (count > reader.remaining) throw new DecodeError('count', `${count} commands are announced, there is no room`);
  const commands: Uint8Array[] = [];
  for (let i = 0; i < count; i++) commands.push(reader.bytes('commands'));
  reader.end();
  return { logTimeMs, commands };
}
