import { MemoryKeySpace, StateMachine, decodeAnswer, encodeBatch, encodeCommand, type Request } from '@app/kv';
import { Consistency, Outcome, type Operation, type Respond, type Result } from '@app/rpc';
import { logLines } from '../../../../libs/platform/src/testing/log-lines.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { KeyValueService } from './key-value.service.js';
import type { LeaderForwarder } from './leader-forwarder.js';
import { OperationDesk, type Refusal } from './operation-desk.js';
import { OperationLog } from './operation-log.js';

const key = Uint8Array.of(1);
const set: Request = { kind: 'set', key, value: Uint8Array.of(9), contentType: '', ttlMs: 0 };

/** A service whose consensus is a leader that applies at once, or refuses everything with `refusal`. */
function serviceWith(state: { refusal?: Refusal; leaderId?: string; staleReadRefusal?: Refusal }) {
  const config = new RaftNodeConfig();
  config.clusterId = 'c1';
  config.nodeId = 'n1';
  config.keyBytesMax = 4;
  config.valueBytesMax = 8;
  config.peers = [
    { nodeId: 'n1', address: '127.0.0.1:1' },
    { nodeId: 'n2', address: '127.0.0.1:2' },
  ];
  const stateMachine = new StateMachine(new MemoryKeySpace());
  const desk = new OperationDesk();
  let index = 0;
  desk.readBy({
    isLeader: state.refusal === undefined,
    leaderId: state.leaderId,
    staleReadRefusal: state.staleReadRefusal,
    write: (command, _deadlineMs, reply) => {
      if (state.refusal !== undefined) reply(undefined, state.refusal);
      else reply(stateMachine.apply([{ index: ++index, data: encodeBatch(1, [command]) }])[0]![0], undefined, index);
    },
    read: (_deadlineMs, reply) => reply(state.refusal),
  });
  const forwarded: { operation: Operation; address: string }[] = [];
  const forwarder = {
    forward: (operation: Operation, address: string, _deadlineMs: number, respond: Respond) => {
      forwarded.push({ operation, address });
      respond({
        id: 0,
        code: '',
        answer: Buffer.of(),
        outcome: Outcome.APPLIED,
        leader: undefined,
        detail: 'forwarded',
      });
    },
  } as unknown as LeaderForwarder;
  const { log, lines } = logLines();
  const directory = new PeerDirectory(config, 'disk of n1');
  const service = new KeyValueService(config, directory, desk, stateMachine, forwarder, new OperationLog(log));
  const execute = (request: Request | Buffer, more: Partial<Operation> = {}): Promise<Result> =>
    new Promise((resolve) => {
      const command = Buffer.isBuffer(request) ? request : Buffer.from(encodeCommand(request));
      const operation = {
        id: 1,
        command,
        forward: false,
        timeoutMs: 100,
        consistency: Consistency.LINEARIZABLE,
        ...more,
      };
      service.execute(operation, (result) => resolve(typeof result === 'function' ? result() : result));
    });
  return { execute, forwarded, logged: lines, applied: () => index };
}

const NOT_LEADER: Refusal = { code: 'NOT_LEADER', detail: '' };

describe('KeyValueService', () => {
  it('in quarantine shows nothing of its state: no stale read, no read that was confirmed, no answer to a write', async () => {
    const staleReadRefusal: Refusal = { code: 'QUARANTINED', detail: 'why' };
    const { execute, applied } = serviceWith({ staleReadRefusal, leaderId: 'n2' });
    for (const consistency of [Consistency.STALE, Consistency.LINEARIZABLE]) {
      expect(await execute({ kind: 'get', key }, { consistency })).toMatchObject({
        code: 'QUARANTINED',
        outcome: Outcome.NOT_APPLIED,
        leader: { nodeId: 'n2', address: '127.0.0.1:2' },
      });
    }
    expect(await execute(set)).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: Outcome.UNKNOWN });
    expect(applied()).toBe(1);
  });

  it('answers with what the state machine said', async () => {
    const { execute } = serviceWith({});
    expect(decodeAnswer((await execute(set)).answer)).toMatchObject({ kind: 'set', created: true, revision: 1 });
    expect(decodeAnswer((await execute({ kind: 'get', key })).answer)).toMatchObject({ found: true });
  });

  it('logs what carries the id of a request: where its entry is, what a read has seen, or why it failed; nothing else', async () => {
    const { execute, logged } = serviceWith({});
    await execute(set, { requestId: 'r-1' });
    await execute({ kind: 'get', key }, { requestId: 'r-2' });
    await execute(set);
    expect(logged).toMatchObject([
      { level: 'debug', requestId: 'r-1', kind: 'set', index: 1, durationMs: expect.any(Number) as number },
      { level: 'debug', requestId: 'r-2', kind: 'get', index: 1 },
    ]);
    const unlucky = serviceWith({ refusal: { code: 'OUTCOME_UNKNOWN', detail: 'why' } });
    await unlucky.execute(set, { requestId: 'r-3' });
    expect(unlucky.logged).toMatchObject([{ level: 'warn', requestId: 'r-3', code: 'OUTCOME_UNKNOWN' }]);
    const follower = serviceWith({ refusal: NOT_LEADER, leaderId: 'n2' });
    await follower.execute(set, { requestId: 'r-4' });
    expect(follower.logged).toMatchObject([{ level: 'debug', requestId: 'r-4', code: 'NOT_LEADER' }]);
  });

  it.each<[string, Request | Buffer, string, string]>([
    ['no command at all', Buffer.of(), 'INVALID_REQUEST', ''],
    ['a command of another version', Buffer.of(200, 1, 2, 3), 'UNSUPPORTED', 'version 200'],
    ['a command of a later kind', Buffer.of(1, 99), 'UNSUPPORTED', 'kind 99'],
    ['a command of the sweeper', { kind: 'expire', keys: [key] }, 'INVALID_REQUEST', 'expire'],
    ['an empty key', { kind: 'get', key: Uint8Array.of() }, 'KEY_EMPTY', 'key'],
    ['a long key', { kind: 'get', key: new Uint8Array(5) }, 'KEY_TOO_LONG', 'at most 4 bytes'],
    ['a large value', { ...set, value: new Uint8Array(9) }, 'VALUE_TOO_LARGE', 'at most 8 bytes'],
  ])('refuses %s before it reaches the log', async (_what, request, code, detail) => {
    const { execute, applied } = serviceWith({});
    const result = await execute(request);
    expect(result).toMatchObject({ code, outcome: Outcome.NOT_APPLIED });
    expect(result.detail).toContain(detail);
    expect(applied()).toBe(0);
  });

  it('names the leader when it is another node', async () => {
    const { execute, forwarded } = serviceWith({ refusal: NOT_LEADER, leaderId: 'n2' });
    await expect(execute(set)).resolves.toMatchObject({
      code: 'NOT_LEADER',
      outcome: Outcome.NOT_APPLIED,
      leader: { nodeId: 'n2', address: '127.0.0.1:2' },
    });
    expect(forwarded).toEqual([]);
  });

  it('forwards to the leader when it is asked to', async () => {
    const { execute, forwarded } = serviceWith({ refusal: NOT_LEADER, leaderId: 'n2' });
    await expect(execute(set, { forward: true })).resolves.toMatchObject({ detail: 'forwarded' });
    await expect(execute({ kind: 'get', key }, { forward: true })).resolves.toMatchObject({ detail: 'forwarded' });
    expect(forwarded.map(({ address }) => address)).toEqual(['127.0.0.1:2', '127.0.0.1:2']);
  });

  it('does not forward what may have been applied', async () => {
    const { execute, forwarded } = serviceWith({ refusal: { code: 'OUTCOME_UNKNOWN', detail: '' }, leaderId: 'n2' });
    await expect(execute(set, { forward: true })).resolves.toMatchObject({ outcome: Outcome.UNKNOWN });
    expect(forwarded).toEqual([]);
  });

  it('reads stale without asking anybody, where that was asked for', async () => {
    const { execute } = serviceWith({ refusal: { code: 'NO_LEADER', detail: '' } });
    await expect(execute({ kind: 'get', key })).resolves.toMatchObject({ code: 'NO_LEADER' });
    await expect(execute({ kind: 'get', key }, { consistency: Consistency.STALE })).resolves.toMatchObject({
      code: '',
    });
  });
});
