import { Channels, MembershipService, Role, StatusResponse } from '@app/rpc';
import {
  startLoopbackServer,
  unusedPort,
  type LoopbackServer,
} from '../../../../libs/rpc/src/testing/loopback-server.js';
import type { PeerDirectory } from '../peers/peer-directory.js';
import { NewcomerCheck } from './newcomer-check.js';

describe('NewcomerCheck', () => {
  let server: LoopbackServer;
  let found: Partial<StatusResponse>;
  const channels = new Channels();
  const check = new NewcomerCheck({ clusterId: 'c1', selfId: 'n1' } as PeerDirectory, channels);

  beforeAll(async () => {
    const refuse = (_call: unknown, done: (error: Error) => void) => done(new Error('not scripted'));
    const notServed = Object.fromEntries(
      Object.keys(MembershipService).map((method) => [method, refuse]),
    ) as unknown as Record<keyof typeof MembershipService, typeof refuse>;
    server = await startLoopbackServer((grpc) =>
      grpc.addService(MembershipService, {
        ...notServed,
        status: (_call: unknown, done: (error: null, response: StatusResponse) => void) =>
          done(null, StatusResponse.create(found)),
      }),
    );
  });
  afterAll(() => {
    server.kill();
    channels.close();
  });

  it('takes the node that it is said to be', async () => {
    found = { clusterId: 'c1', nodeId: 'n4' };
    await expect(check.check('n4', server.address)).resolves.toBeUndefined();
  });

  it.each([
    ['a node of another cluster', { clusterId: 'c2', nodeId: 'n4' }, 'is node n4 of cluster c2'],
    ['another node', { clusterId: 'c1', nodeId: 'n5' }, 'is node n5 of cluster c1, not n4'],
    ['one that was started without --join', { clusterId: 'c1', nodeId: 'n4', role: Role.LEADER }, '--join'],
  ])('refuses %s', async (_what, status, complaint) => {
    found = status;
    await expect(check.check('n4', server.address)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      detail: expect.stringContaining(complaint) as string,
    });
  });

  it('takes an address at which nobody answers yet, and nothing that is none', async () => {
    await expect(check.check('n4', `127.0.0.1:${await unusedPort()}`)).resolves.toBeUndefined();
    for (const address of ['', 'host', 'host:0', 'a b:1']) {
      await expect(check.check('n4', address)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    }
  });
});
