import { decodeCommand } from '@app/kv';

/**
 * Whether a command (in the encoding of libs/kv) is taken while space is short: it leaves less behind than was there before, or it is
 * what a client needs to send such a one: without a session no gateway could delete anything.
 */
export function freesSpace(command: Uint8Array): boolean {
  const { kind } = decodeCommand(command);
  return kind === 'delete' || kind === 'expire' || kind === 'openSession';
}
