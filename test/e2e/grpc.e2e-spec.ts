import { status, type ServiceError } from '@grpc/grpc-js';
import { decodeAnswer } from '@app/kv';
import {
  AppendEntriesRequest,
  Consistency,
  EntryType,
  HealthClient,
  Outcome,
  ReplicationClient,
  RequestVoteRequest,
  RingraftError,
  Role,
  ServingStatus,
  errorOfResult,
  fromServiceError,
  type HealthCheckResponse,
} from '@app/rpc';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { eventually } from '../support/eventually.js';
import { listServices } from '../support/reflection.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;

const SERVICES = [
  'admin.v1.Backup',
  'admin.v1.Membership',
  'grpc.health.v1.Health',
  'kv.v1.KeyValue',
  'raft.v1.Consistency',
  'raft.v1.Election',
  'raft.v1.Replication',
  'raft.v1.Snapshots',
];

/** The error that a call was refused with; throws when it was not. */
async function refusalOf(call: Promise<unknown>): Promise<RingraftError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof RingraftError) return outcome;
  throw new Error(`not refused but ${String(outcome)}`);
}

describe('the gRPC interface of a node', () => {
  let system: TestSystem;
  let leader: LocalNode;
  let follower: LocalNode;

  beforeAll(async () => {
    // Patient, so that no busy moment of the machine changes the leader between two calls of a test.
    const env = { RINGRAFT_ELECTION_TIMEOUT_MS: '2000' };
    system = await TestSystem.start({ clusters: 1, nodes: 3, gateways: 0, env });
  }, 120_000);

  beforeEach(async () => {
    await system.convergedRevisionOf('c1');
    leader = await system.leaderOf('c1');
    follower = (await system.followersOf('c1'))[0]!;
  }, 60_000);

  afterAll(() => system?.dispose(), 60_000);

  describe('kv.v1.KeyValue at the leader', () => {
    it('sets, gets and deletes', async () => {
      const client = system.grpc(leader);
      const set = await client.set('direct', 'value', { contentType: 'text/plain' });
      expect(set).toMatchObject({ created: true });
      const got = await client.get('direct');
      expect(got).toMatchObject({ found: true, contentType: 'text/plain', revision: set.revision });
      expect(got.value.toString()).toBe('value');
      expect(await client.delete('direct')).toMatchObject({ deleted: true });
      expect(await client.get('direct')).toMatchObject({ found: false });
    });

    it('refuses a write whose condition fails, with the revision that the key has', async () => {
      const client = system.grpc(leader);
      const { revision } = await client.set('conditional', 'first');
      const condition = { kind: { $case: 'ifRevision' as const, value: revision + 100 } };
      expect(await refusalOf(client.set('conditional', 'second', { condition }))).toMatchObject({
        code: 'PRECONDITION_FAILED',
        outcome: 'not_applied',
        fields: { revision: String(revision) },
      });
      expect((await client.get('conditional')).value.toString()).toBe('first');
    });
  });

  describe('a follower', () => {
    it('refuses what needs the leader, and names it with its address', async () => {
      const client = system.grpc(follower);
      const expected = {
        code: 'NOT_LEADER',
        outcome: 'not_applied',
        fields: { leader: { nodeId: leader.name, address: leader.address } },
      };
      expect(await refusalOf(client.set('refused', 'value'))).toMatchObject(expected);
      expect(await refusalOf(client.get('refused'))).toMatchObject(expected);
      expect(await refusalOf(client.delete('refused'))).toMatchObject(expected);
      const results = await Promise.all([
        client.execute({ kind: 'increment', key: Buffer.from('refused'), delta: 1n }),
        client.execute({ kind: 'get', key: Buffer.from('refused') }),
      ]);
      for (const result of results) {
        expect(errorOfResult(result)).toMatchObject(expected);
        expect(result.outcome).toBe(Outcome.NOT_APPLIED);
      }
      expect(await system.grpc(leader).get('refused')).toMatchObject({ found: false });
    });

    it('passes it on when asked to, unary and streamed', async () => {
      const client = system.grpc(follower);
      await client.set('forwarded', 'value', { forward: true });
      expect((await system.grpc(leader).get('forwarded')).value.toString()).toBe('value');
      expect((await client.get('forwarded', { forward: true })).value.toString()).toBe('value');

      const counted = await client.execute(
        { kind: 'increment', key: Buffer.from('forwarded-count'), delta: 5n },
        { forward: true },
      );
      expect(counted.code).toBe('');
      expect(decodeAnswer(counted.answer)).toMatchObject({ kind: 'increment', value: 5n });
      expect(await client.delete('forwarded', { forward: true })).toMatchObject({ deleted: true });
      expect(await client.get('forwarded', { forward: true })).toMatchObject({ found: false });
    });

    it('answers stale reads itself', async () => {
      await system.grpc(leader).set('replicated', 'value');
      const { value } = await eventually(
        'the follower has applied the write',
        async () => {
          const got = await system.grpc(follower).get('replicated', { consistency: Consistency.STALE });
          return got.found ? got : undefined;
        },
        DEADLINE_MS,
      );
      expect(value.toString()).toBe('value');
    });
  });

  describe('a write that is repeated under its session', () => {
    it('is applied once, whoever leads: the repetition gets the first answer', async () => {
      const clientId = await system.grpc(follower).openSession();
      const stamp = (sequence: number) => ({ session: { clientId, sequence, acknowledgedBelow: sequence } });
      const first = await system.grpc(leader).set('repeated', 'first', stamp(1));
      expect(await system.grpc(follower).set('repeated', 'first', { ...stamp(1), forward: true })).toEqual(first);

      await leader.kill();
      const successor = await system.leaderOf('c1', leader);
      expect(await system.grpc(successor).set('repeated', 'first', stamp(1))).toEqual(first);
      const second = await system.grpc(successor).set('repeated', 'second', stamp(2));
      expect(second).toEqual({ created: false, revision: first.revision + 1 });
      await system.startAll();
    }, 120_000);

    it('is refused once the client has said that it has the answer', async () => {
      const clientId = await system.grpc(leader).openSession();
      const session = { clientId, sequence: 1, acknowledgedBelow: 1 };
      await system.grpc(leader).set('forgotten', 'first', { session });
      await system.grpc(leader).set('forgotten', 'second', {
        session: { clientId, sequence: 2, acknowledgedBelow: 2 },
      });
      expect((await refusalOf(system.grpc(leader).set('forgotten', 'first', { session }))).code).toBe(
        'SEQUENCE_FORGOTTEN',
      );
      expect((await system.grpc(leader).get('forgotten')).value.toString()).toBe('second');
    });
  });

  describe('admin.v1.Membership', () => {
    it('tells who leads and who the members are', async () => {
      const atLeader = await system.grpc(leader).status();
      expect(atLeader).toMatchObject({
        clusterId: 'c1',
        nodeId: leader.name,
        role: Role.LEADER,
        leaderId: leader.name,
        unhealthyReasons: [],
      });
      expect(atLeader.members.map(({ nodeId, address }) => [nodeId, address]).sort()).toEqual(
        system.cluster.nodes.map(({ name, address }) => [name, address]),
      );
      expect(atLeader.members.every(({ isActive }) => isActive)).toBe(true);
      const atFollower = await system.grpc(follower).status();
      expect(atFollower).toMatchObject({ nodeId: follower.name, role: Role.FOLLOWER, leaderId: leader.name });
    });
  });

  describe('server reflection', () => {
    it('lists exactly the services that are served', async () => {
      const listed = await listServices(leader.address);
      expect(listed.filter((name) => !name.startsWith('grpc.reflection.'))).toEqual(SERVICES);
    });
  });

  describe('raft.v1', () => {
    /** Everything else about these messages would be taken: only the addressee is wrong. */
    const TERM = 1_000_000;
    const strangers = [
      { what: 'another cluster', clusterId: 'c2', recipientId: 'c1-n1', senderId: 'c1-n2' },
      { what: 'another node', clusterId: 'c1', recipientId: 'c1-n3', senderId: 'c1-n2' },
      { what: 'a sender that is no member', clusterId: 'c1', recipientId: 'c1-n1', senderId: 'c9-n9' },
    ];

    function appendEntries(request: Partial<AppendEntriesRequest>): Promise<ServiceError> {
      const client = system.grpc(system.cluster.node('c1-n1')).channel.client(ReplicationClient);
      return new Promise((resolve, reject) => {
        const stream = client.appendEntries();
        stream.on('error', resolve);
        stream.on('data', () => reject(new Error('it was taken')));
        stream.on('end', () => undefined);
        stream.write(AppendEntriesRequest.create(request));
      });
    }

    it.each(strangers)('refuses RequestVote for $what', async ({ clusterId, recipientId, senderId }) => {
      const client = system.grpc(system.cluster.node('c1-n1'));
      const request = RequestVoteRequest.create({
        clusterId,
        recipientId,
        candidateId: senderId,
        term: TERM,
        lastLogIndex: TERM,
        lastLogTerm: TERM,
      });
      const error = await refusalOf(client.requestVote(request));
      expect(error.code).toBe('WRONG_CLUSTER');
      expect((error.cause as ServiceError).code).toBe(status.FAILED_PRECONDITION);
    });

    it.each(strangers)('refuses AppendEntries for $what', async ({ clusterId, recipientId, senderId }) => {
      const error = await appendEntries({ clusterId, recipientId, leaderId: senderId, term: TERM });
      expect(fromServiceError(error).code).toBe('WRONG_CLUSTER');
      expect(error.code).toBe(status.FAILED_PRECONDITION);
    });

    it('refuses AppendEntries of a member that no leader can have sent', async () => {
      const { term } = await system.grpc(leader).status();
      const request = { clusterId: 'c1', recipientId: 'c1-n1', leaderId: 'c1-n2', term: TERM };
      const entry = { index: 1, term, type: EntryType.NORMAL, data: Buffer.from('data') };
      const gap = await appendEntries({ ...request, prevLogIndex: 3, prevLogTerm: term, entries: [entry] });
      expect(fromServiceError(gap).code).toBe('INVALID_REQUEST');
      const future = await appendEntries({ ...request, entries: [{ ...entry, term: TERM + 1 }] });
      expect(fromServiceError(future).code).toBe('INVALID_REQUEST');
    });

    it('refuses a RequestVote of a member that no candidate can have sent', async () => {
      const request = RequestVoteRequest.create({
        clusterId: 'c1',
        recipientId: 'c1-n1',
        candidateId: 'c1-n2',
        term: TERM,
        lastLogIndex: 1,
        lastLogTerm: TERM + 1,
      });
      const error = await refusalOf(system.grpc(system.cluster.node('c1-n1')).requestVote(request));
      expect(error.code).toBe('INVALID_REQUEST');
    }, 30_000);

    it('was not disturbed by any of that: no node has seen that term, and the leader leads', async () => {
      for (const node of system.cluster.nodes) expect((await system.grpc(node).status()).term).toBeLessThan(TERM);
      expect(await system.grpc(leader).set('undisturbed', 'value')).toMatchObject({ created: true });
    });
  });

  describe('grpc.health.v1.Health', () => {
    it.each(['', ...SERVICES.filter((name) => !name.startsWith('grpc.'))])('says that "%s" is served', async (name) => {
      expect(await system.grpc(follower).health(name)).toBe(ServingStatus.SERVING);
    });

    it('knows no other service', async () => {
      expect((await refusalOf(system.grpc(follower).health('kv.v2.KeyValue'))).code).toBe('NOT_FOUND');
      const watch = system.grpc(follower).channel.client(HealthClient).watch({ service: 'kv.v2.KeyValue' });
      watch.on('error', () => undefined);
      const first = await new Promise<HealthCheckResponse>((resolve) => watch.once('data', resolve));
      expect(first.status).toBe(ServingStatus.SERVICE_UNKNOWN);
      watch.cancel();
    });

    it('tells a watcher of each change, here when the majority is lost and when it is back', async () => {
      const seen: ServingStatus[] = [];
      const watch = system.grpc(follower).channel.client(HealthClient).watch({ service: '' });
      watch.on('data', ({ status: now }: HealthCheckResponse) => seen.push(now));
      watch.on('error', () => undefined);
      await eventually('the first status is there', () => seen.length > 0, DEADLINE_MS);

      const others = system.cluster.nodes.filter((node) => node !== follower);
      await Promise.all(others.map((node) => node.kill()));
      await eventually(
        'the loss of the majority is told',
        () => seen.at(-1) === ServingStatus.NOT_SERVING,
        DEADLINE_MS,
      );
      expect(await system.grpc(follower).health('')).toBe(ServingStatus.NOT_SERVING);

      await system.startAll();
      await eventually('the new leader is told', () => seen.at(-1) === ServingStatus.SERVING, DEADLINE_MS);
      watch.cancel();
      expect(seen[0]).toBe(ServingStatus.SERVING);
      // Each is a change.
      expect(seen.filter((now, i) => now === seen[i - 1])).toEqual([]);
      expect(system.ended).toEqual([]);
    }, 120_000);
  });
});
