import { Connection, Failures } from '../catch-up-clients.js';
import { keyName } from './load.js';
import { valueOf } from './request-file.js';

const CONNECTIONS = 2;
/** Writes that a connection has under way. */
const DEPTH = 256;

/** Writes keys over gRPC to the leader of the only cluster. Throws when one is refused. */
export async function fillRingraft(
  address: string,
  count: number,
  valueBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const failures = new Failures();
  let next = 0;
  const writer = async (connection: Connection): Promise<void> => {
    while (next < count && failures.count === 0) {
      signal.throwIfAborted();
      const key = Buffer.from(keyName(next++));
      const value = valueOf(valueBytes);
      const { code, detail } = await connection.execute({ kind: 'set', key, value, contentType: '', ttlMs: 0 });
      if (code !== '') failures.add(`${code} ${detail}`);
    }
  };
  const connections = Array.from({ length: CONNECTIONS }, () => new Connection(address, failures));
  try {
    await Promise.all(connections.flatMap((connection) => Array.from({ length: DEPTH }, () => writer(connection))));
  } finally {
    for (const connection of connections) connection.close();
  }
  if (failures.count > 0) throw new Error(`keys could not be written: ${failures.describe()}`);
}
