import { encodeCommand } from '@app/kv';
import { Channels, Consistency, KeyValueService, Outcome, serveExecute, successResult, type Respond } from '@app/rpc';
import { startLoopbackServer, until } from '../../../../libs/rpc/src/testing/loopback-server.js';
import type { PeerDirectory } from '../peers/peer-directory.js';
import { LeaderForwarder } from './leader-forwarder.js';
import { OperationDesk } from './operation-desk.js';

const command = Buffer.from(encodeCommand({ kind: 'openSession' }));
const operation = { id: 1, command, forward: true, timeoutMs: 0, consistency: Consistency.LINEARIZABLE };

const fail = (error: unknown) => {
  throw error;
};

describe('LeaderForwarder', () => {
  it('counts what it has passed on until the answer is given', async () => {
    const waiting: Respond[] = [];
    const server = await startLoopbackServer((grpc) =>
      grpc.addService(KeyValueService, {
        execute: (call: Parameters<typeof serveExecute>[0]) =>
          serveExecute(call, { handle: (_operation, respond) => waiting.push(respond), failed: fail }),
      }),
    );
    const channels = new Channels();
    const desk = new OperationDesk();
    const forwarder = new LeaderForwarder(channels, desk, { onVacated: () => undefined } as unknown as PeerDirectory);
    const answers: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      forwarder.forward(operation, server.address, performance.now() + 60_000, (answer) => answers.push(answer));
    }
    await until(() => waiting.length === 2);
    expect(desk.passedOn).toBe(2);
    waiting[0]!(successResult(Uint8Array.of(7)));
    await until(() => answers.length === 1);
    expect(desk.passedOn).toBe(1);
    forwarder.onApplicationShutdown();
    await until(() => answers.length === 2);
    expect(desk.passedOn).toBe(0);
    expect(answers).toMatchObject([{ outcome: Outcome.APPLIED }, { outcome: Outcome.UNKNOWN }]);
    channels.close();
    server.kill();
  });
});
