import { RESTORE_RANGES, StateMachine, type KeyRange, type KeySpace, type Row } from '@app/kv';

const PAGE_ROWS = 10_000;

/** The state machine with what it keeps in memory (sessions, counters) read back from its rows. */
export async function openStateMachine(keySpace: KeySpace): Promise<StateMachine> {
  const stateMachine = new StateMachine(keySpace);
  await restoreStateMachine(stateMachine, keySpace);
  return stateMachine;
}

/** Reads back what the state machine keeps in memory. Until it resolves, the rows are those of another state than the memory. */
export async function restoreStateMachine(stateMachine: StateMachine, keySpace: KeySpace): Promise<void> {
  const rows: Row[] = [];
  for (const range of RESTORE_RANGES) for await (const row of rowsOf(keySpace, range)) rows.push(row);
  stateMachine.restore(rows);
}

async function* rowsOf(keySpace: KeySpace, { from, to }: KeyRange): AsyncGenerator<Row> {
  for (let next = from; ;) {
    const page = await scan(keySpace, next, to);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS) return;
    // The smallest key behind the last one.
    next = Uint8Array.of(...last.key, 0);
  }
}

export function scan(keySpace: KeySpace, from: Uint8Array, to: Uint8Array, limit = PAGE_ROWS): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    keySpace.scan(from, to, limit, (error, rows) => (error === undefined ? resolve(rows) : reject(error)));
  });
}
