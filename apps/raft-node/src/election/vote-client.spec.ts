import type { Message } from '@app/raft';
import {
  Channels,
  ElectionService,
  RingraftError,
  toServiceError,
  type ElectionServer,
  type RequestVoteRequest,
} from '@app/rpc';
import { logLines } from '../../../../libs/platform/src/testing/log-lines.js';
import { startLoopbackServer, until, type LoopbackServer } from '../../../../libs/rpc/src/testing/loopback-server.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { PeerInbox } from '../peers/peer-inbox.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { VoteClient } from './vote-client.js';

describe('VoteClient', () => {
  let server: LoopbackServer;
  let channels: Channels;
  let refusal: RingraftError | undefined;
  let asked: RequestVoteRequest[];

  beforeEach(async () => {
    asked = [];
    refusal = undefined;
    const service = {
      requestVote: (call, callback) => {
        asked.push(call.request);
        if (refusal) callback(toServiceError(refusal));
        else {
          const { term, preVote } = call.request;
          callback(null, { term, voteGranted: true, preVote, incarnation: 'disk of peer' });
        }
      },
      timeoutNow: (_call, callback) => callback(null, {}),
      notifyMembership: (_call, callback) => callback(null, {}),
    } satisfies ElectionServer;
    server = await startLoopbackServer((grpc) => grpc.addService(ElectionService, service));
    channels = new Channels();
  });
  afterEach(() => {
    channels.close();
    server.kill();
  });

  function open() {
    const config = new RaftNodeConfig();
    config.clusterId = 'c1';
    config.nodeId = 'me';
    config.peers = [
      { nodeId: 'me', address: '127.0.0.1:1' },
      { nodeId: 'peer', address: server.address },
    ];
    config.electionTimeoutMs = 5_000;
    const inbox = new PeerInbox();
    const received: Message[] = [];
    inbox.readBy({
      received: (message) => received.push(message),
      snapshotReceived: () => undefined,
      unreachable: () => undefined,
      disconnected: () => undefined,
    });
    const { log, lines } = logLines();
    const client = new VoteClient(config, new PeerDirectory(config, 'disk of me'), channels, inbox, log);
    const ask = (term: number) =>
      client.send({
        type: 'RequestVote',
        from: 'me',
        to: 'peer',
        term,
        lastLogIndex: 0,
        lastLogTerm: 0,
        preVote: false,
        isTransfer: false,
      });
    return { ask, received, lines };
  }

  it('hands the vote to the core, as an answer of the one who was asked', async () => {
    const { ask, received, lines } = open();
    ask(3);
    await until(() => received.length === 1);
    expect(asked).toMatchObject([{ clusterId: 'c1', candidateId: 'me', recipientId: 'peer', term: 3 }]);
    expect(received).toEqual([
      { type: 'RequestVoteResponse', from: 'peer', to: 'me', term: 3, voteGranted: true, preVote: false },
    ]);
    expect(lines).toEqual([]);
  });

  it('says why a peer does not answer, once until it does', async () => {
    const { ask, received, lines } = open();
    refusal = new RingraftError('WRONG_CLUSTER', 'this is node other of cluster c1');
    for (let term = 1; term <= 3; term++) ask(term);
    await until(() => asked.length === 3 && lines.length > 0);
    refusal = undefined;
    ask(4);
    await until(() => received.length === 1);
    expect(lines).toMatchObject([{ level: 'warn', peer: 'peer', reason: 'this is node other of cluster c1' }]);
    refusal = new RingraftError('WRONG_CLUSTER', 'again');
    ask(5);
    await until(() => lines.length === 2);
    expect(lines[1]).toMatchObject({ reason: 'again' });
  });

  it('is silent about a peer that leaves the question open', async () => {
    const { ask, received, lines } = open();
    refusal = new RingraftError('TIMED_OUT', 'replaced by a later request of the same candidate');
    ask(1);
    await until(() => asked.length === 1);
    refusal = undefined;
    ask(2);
    await until(() => received.length === 1);
    expect(lines).toEqual([]);
  });
});
