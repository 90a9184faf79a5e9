import { MemoryKeySpace, StateMachine, encodeBatch, encodeCommand } from '@app/kv';
import { createLog } from '@app/platform';
import { RaftNodeConfig } from '../raft-node.config.js';
import { ExpirySweeper } from './expiry-sweeper.js';
import { OperationDesk } from './operation-desk.js';

const KEYS = 40;
const KEY_BYTES = 65_536;
/** What one entry of the log, and one message to a peer, certainly hold. */
const COMMAND_BYTES_MAX = 2 * 1024 * 1024;

const longKey = (n: number): Uint8Array => Uint8Array.from(Buffer.from(String(n).padEnd(KEY_BYTES, 'x')));

describe('ExpirySweeper', () => {
  it('removes any number of the longest keys without ever proposing more than an entry can hold', async () => {
    const keySpace = new MemoryKeySpace();
    const stateMachine = new StateMachine(keySpace);
    let index = 0;
    const apply = (logTimeMs: number, command: Uint8Array) =>
      stateMachine.apply([{ index: ++index, data: encodeBatch(logTimeMs, [command]) }])[0]![0];
    for (let n = 0; n < KEYS; n++) {
      const head = { kind: 'set', key: longKey(n), value: Uint8Array.of(), contentType: '' } as const;
      apply(1, encodeCommand({ ...head, ttlMs: 1 }));
    }
    const desk = new OperationDesk();
    const sizes: number[] = [];
    const swept = new Promise<void>((resolve) => {
      desk.readBy({
        isLeader: true,
        leaderId: 'n1',
        staleReadRefusal: undefined,
        write: (command, _deadlineMs, reply) => {
          sizes.push(command.length);
          reply(apply(10, command), undefined);
          if (stateMachine.revision === 2 * KEYS) resolve();
        },
        read: (_deadlineMs, reply) => reply(undefined),
      });
    });
    const config = new RaftNodeConfig();
    const sweeper = new ExpirySweeper(config, desk, keySpace, createLog({ level: 'silent', fields: {} }));
    sweeper.onApplicationBootstrap();
    await swept;
    sweeper.beforeApplicationShutdown();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(COMMAND_BYTES_MAX);
  });
});
