import { MemoryKeySpace, StateMachine, encodeBatch } from '@app/kv';
import { logLines } from '../../../../libs/platform/src/testing/log-lines.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { KeyValueService } from './key-value.service.js';
import type { LeaderForwarder } from './leader-forwarder.js';
import { OperationDesk } from './operation-desk.js';
import { OperationLog } from './operation-log.js';
import { UnaryOperations } from './unary-operations.js';

/** The unary calls over a leader that applies at once. */
function open(): UnaryOperations {
  const config = new RaftNodeConfig();
  config.clusterId = 'c1';
  config.nodeId = 'n1';
  config.peers = [{ nodeId: 'n1', address: '127.0.0.1:1' }];
  const stateMachine = new StateMachine(new MemoryKeySpace());
  const desk = new OperationDesk();
  let index = 0;
  desk.readBy({
    isLeader: true,
    leaderId: 'n1',
    staleReadRefusal: undefined,
    write: (command, _timeoutMs, reply) =>
      reply(stateMachine.apply([{ index: ++index, data: encodeBatch(1, [command]) }])[0]![0], undefined),
    read: (_timeoutMs, reply) => reply(undefined),
  });
  const forwarder = {} as LeaderForwarder;
  const directory = new PeerDirectory(config, 'disk of n1');
  const operations = new OperationLog(logLines().log);
  return new UnaryOperations(new KeyValueService(config, directory, desk, stateMachine, forwarder, operations));
}

const key = Buffer.from('k');
const setTo = (value: string) => ({
  key,
  value: Buffer.from(value),
  contentType: 'text/plain',
  ttlMs: 0,
  condition: undefined,
  session: undefined,
  forward: false,
});
const get = { key, consistency: 0, forward: false } as const;

describe('UnaryOperations', () => {
  it('sets, gets and deletes', async () => {
    const unary = open();
    await expect(unary.get(get)).resolves.toMatchObject({ found: false, revision: 0 });
    await expect(unary.set(setTo('v'))).resolves.toEqual({ created: true, revision: 1 });
    await expect(unary.get(get)).resolves.toEqual({
      found: true,
      value: Buffer.from('v'),
      contentType: 'text/plain',
      revision: 1,
    });
    const deleteRequest = { key, condition: undefined, session: undefined, forward: false };
    await expect(unary.delete(deleteRequest)).resolves.toEqual({ deleted: true, revision: 2 });
    await expect(unary.delete(deleteRequest)).resolves.toEqual({ deleted: false, revision: 2 });
  });

  it('applies a repeated write of a session once, and repeats its answer', async () => {
    const unary = open();
    const { clientId } = await unary.openSession({ forward: false });
    const write = { ...setTo('v'), session: { clientId, sequence: 1, acknowledgedBelow: 0 } };
    const first = await unary.set(write);
    await expect(unary.set(write)).resolves.toEqual(first);
    await expect(unary.get(get)).resolves.toMatchObject({ revision: first.revision });
  });

  it('says which revision a condition met', async () => {
    const unary = open();
    await unary.set(setTo('v'));
    const ifRevision = { kind: { $case: 'ifRevision', value: 9 } } as const;
    await expect(unary.set({ ...setTo('w'), condition: ifRevision })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      fields: { revision: '1' },
    });
    const ifAbsent = { kind: { $case: 'ifAbsent', value: true } } as const;
    await expect(unary.set({ ...setTo('w'), condition: ifAbsent })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
  });

  it('refuses a write of a session that the cluster does not know', async () => {
    const write = { ...setTo('v'), session: { clientId: 99, sequence: 1, acknowledgedBelow: 0 } };
    await expect(open().set(write)).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
  });

  it('names what is wrong with a content type', async () => {
    await expect(open().set({ ...setTo('v'), contentType: 'a\nb' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});
