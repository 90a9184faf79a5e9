import { encodeAnswer, type Request, type SetCommand } from '@app/kv';
import { Consistency, failedResult, RingraftError, successResult } from '@app/rpc';
import { FakeCluster, type Behaviour, type FakeNode } from '../testing/fake-cluster.js';
import { createTestRouter } from '../testing/test-router.js';

/** For what succeeds in the end: a busy machine has time enough. */
const PATIENT = {
  RINGRAFT_REQUEST_TIMEOUT_MS: '30000',
  RINGRAFT_ATTEMPT_TIMEOUT_MS: '400',
  RINGRAFT_RETRY_DELAY_MS: '5',
  RINGRAFT_RETRY_DELAY_MAX_MS: '20',
};

/** For what fails by its deadline. */
const HASTY = { ...PATIENT, RINGRAFT_REQUEST_TIMEOUT_MS: '1500', RINGRAFT_ATTEMPT_TIMEOUT_MS: '250' };

const key = Buffer.from('key');
const set = (value: string, more: Partial<SetCommand> = {}): SetCommand => ({
  kind: 'set',
  key,
  value: Buffer.from(value),
  contentType: '',
  ttlMs: 0,
  ...more,
});

describe('KvRouter', () => {
  let cluster: FakeCluster;
  let gateway: ReturnType<typeof createTestRouter>;
  let n1: FakeNode, n2: FakeNode, n3: FakeNode;

  beforeEach(async () => {
    cluster = await FakeCluster.start('c1');
    [n1, n2, n3] = cluster.nodes as [FakeNode, FakeNode, FakeNode];
    gateway = createTestRouter(cluster.listing, PATIENT);
  });
  afterEach(() => {
    gateway.stop();
    cluster.stop();
  });

  const use = (env: Readonly<Record<string, string>>) => {
    gateway.stop();
    gateway = createTestRouter(cluster.listing, env);
  };
  const location = () => gateway.router.locate(key);
  const write = (command = set('v')) => gateway.router.set(location(), command);
  const increment = () => gateway.router.increment(location(), { kind: 'increment', key, delta: 1n });
  const read = async (consistency?: Consistency) => {
    const answer = await gateway.router.get(location(), key, consistency);
    return answer.found ? Buffer.from(answer.record.value).toString() : undefined;
  };
  const failureOf = async (operation: Promise<unknown>): Promise<RingraftError> => {
    const error: unknown = await operation.then(
      () => new Error('it succeeded'),
      (reason: unknown) => reason,
    );
    if (error instanceof RingraftError) return error;
    throw error;
  };
  const everywhere = (behaviour: Behaviour) => {
    for (const node of cluster.nodes) node.behaviour = behaviour;
  };
  const isWrite = (request: Request) => request.kind === 'set' || request.kind === 'increment';
  /** Answers sessions and reads, and lets `behaviour` deal with writes. */
  const forWrites =
    (behaviour: Behaviour): Behaviour =>
    (request, proceed, respond) =>
      isWrite(request) ? behaviour(request, proceed, respond) : respond(proceed());
  const stampsAt = (node: FakeNode) =>
    node.requests.flatMap((request) =>
      request.kind === 'increment' || request.kind === 'set' ? request.session! : [],
    );

  describe('finding the leader', () => {
    it('writes and reads, and learns the leader', async () => {
      expect(await write()).toMatchObject({ created: true });
      expect(await read()).toBe('v');
      expect(gateway.leaders.leaderOf('c1')?.id).toBe('c1-n1');
    });

    it('follows the hint of a follower, and remembers', async () => {
      cluster.leader = n3;
      gateway.leaders.learn('c1', { id: n2.id, address: n2.address });
      await write();
      const asked = n2.requests.length;
      expect(asked).toBeGreaterThan(0);
      await write();
      await read();
      expect(n2.requests).toHaveLength(asked);
    });

    it('asks on while nobody knows a leader, until one is elected', async () => {
      cluster.leader = undefined;
      const writing = write();
      while (n1.requests.length + n2.requests.length + n3.requests.length < 4) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      cluster.leader = n2;
      expect(await writing).toMatchObject({ created: true });
    });

    it('goes to another node when the leader is dead', async () => {
      await write();
      n1.kill();
      cluster.leader = n2;
      expect(await write(set('w'))).toMatchObject({ created: false });
      expect(await read()).toBe('w');
    });

    it('goes to another node when the leader does not answer', async () => {
      await write();
      n1.behaviour = () => undefined;
      cluster.leader = n2;
      expect(await write(set('w'))).toMatchObject({ created: false });
    });

    it('does not circle between nodes that name each other', async () => {
      const naming =
        (other: FakeNode): Behaviour =>
        (_request, _proceed, respond) =>
          respond(failedResult('NOT_LEADER', 'not me', { leader: { nodeId: other.id, address: other.address } }));
      n1.behaviour = naming(n2);
      n2.behaviour = naming(n1);
      n3.behaviour = naming(n1);
      use(HASTY);
      expect(await failureOf(write())).toMatchObject({ code: 'INVALID_LEADER', outcome: 'not_applied' });
      expect(n1.requests.length + n2.requests.length).toBeLessThan(500);
    });

    it('follows a hint to a node that it was not configured with', async () => {
      const partial = createTestRouter(`c1=${n1.id}@${n1.address}`, PATIENT);
      cluster.leader = n2;
      expect(await partial.router.set(partial.router.locate(key), set('v'))).toMatchObject({ created: true });
      partial.stop();
    });

    it('reads stale data from any node, without a leader', async () => {
      await write();
      cluster.leader = undefined;
      expect(await read(Consistency.STALE)).toBe('v');
    });
  });

  describe('applying once', () => {
    it('repeats a write that was applied but not answered under the same stamp, and gets the first answer', async () => {
      expect((await increment()).value).toBe(1n);
      n1.behaviour = forWrites((_request, proceed) => {
        proceed();
        n1.behaviour = forWrites(() => undefined);
        cluster.leader = n2;
      });
      const before = cluster.revision;
      expect((await increment()).value).toBe(2n);
      expect(cluster.revision).toBe(before + 1);
      expect(stampsAt(n2).at(-1)).toEqual(stampsAt(n1).at(-1));
      n1.behaviour = (_request, proceed, respond) => respond(proceed());
      expect((await increment()).value).toBe(3n);
    });

    it('repeats a write whose connection broke after it was applied', async () => {
      await increment();
      n1.behaviour = forWrites((_request, proceed) => {
        proceed();
        cluster.leader = n3;
        n1.kill();
      });
      expect((await increment()).value).toBe(2n);
    });

    it('gives the first answer of a condition, not that of its repetition', async () => {
      await write(set('warm up', { key: Buffer.from('other') }));
      n1.behaviour = forWrites((_request, proceed) => {
        proceed();
        n1.behaviour = (_again, go, respond) => respond(go());
      });
      expect(await write(set('v', { condition: { kind: 'ifAbsent' } }))).toMatchObject({ created: true });
    });

    it('counts right while every third attempt is lost after it was applied, and every fourth before', async () => {
      use({ ...PATIENT, RINGRAFT_ATTEMPT_TIMEOUT_MS: '50' });
      let attempt = 0;
      everywhere(
        forWrites((_request, proceed, respond) => {
          attempt += 1;
          if (attempt % 4 === 0) return;
          const result = proceed();
          if (attempt % 3 !== 0) respond(result);
        }),
      );
      const values = new Set<bigint>();
      const client = async () => {
        for (let i = 0; i < 5; i += 1) values.add((await increment()).value);
      };
      await Promise.all([client(), client(), client(), client()]);
      expect([...values].sort((a, b) => Number(a - b))).toEqual(Array.from({ length: 20 }, (_, i) => BigInt(i + 1)));
    });

    it('acknowledges nothing that is still in flight', async () => {
      const stamps = new Map<number, number>();
      everywhere(
        forWrites((request, proceed, respond) => {
          const { sequence, acknowledgedBelow } = (request as SetCommand).session!;
          stamps.set(sequence, acknowledgedBelow);
          setTimeout(() => respond(proceed()), sequence % 7);
        }),
      );
      await Promise.all(Array.from({ length: 100 }, increment));
      for (const [sequence, acknowledgedBelow] of stamps) expect(acknowledgedBelow).toBeLessThanOrEqual(sequence);
      expect(cluster.revision).toBe(100);
    });

    it('opens one session for many first writes at once', async () => {
      use({ ...PATIENT, RINGRAFT_ATTEMPT_TIMEOUT_MS: '30000' });
      await Promise.all(Array.from({ length: 50 }, increment));
      // A follower may have been asked before.
      expect(n1.requests.filter(({ kind }) => kind === 'openSession')).toHaveLength(1);
      expect(new Set(stampsAt(n1).map(({ clientId }) => clientId)).size).toBe(1);
    });
  });

  describe('sessions that end', () => {
    const refuseOnce = (code: 'SESSION_EXPIRED' | 'SESSION_FULL' | 'SEQUENCE_FORGOTTEN', isAppliedBefore: boolean) => {
      let attempts = 0;
      n1.behaviour = forWrites((_request, proceed, respond) => {
        attempts += 1;
        if (isAppliedBefore && attempts === 1) proceed();
        else if (attempts <= (isAppliedBefore ? 2 : 1)) respond(successResult(encodeAnswer({ kind: 'failure', code })));
        else respond(proceed());
      });
    };

    it.each(['SESSION_EXPIRED', 'SESSION_FULL'] as const)(
      '%s on a first attempt: a new session, and again',
      async (code) => {
        await increment();
        refuseOnce(code, false);
        expect((await increment()).value).toBe(2n);
        expect(new Set(stampsAt(n1).map(({ clientId }) => clientId)).size).toBe(2);
      },
    );

    it.each(['SESSION_EXPIRED', 'SESSION_FULL', 'SEQUENCE_FORGOTTEN'] as const)(
      '%s after an attempt that may have been applied: unknown',
      async (code) => {
        await increment();
        refuseOnce(code, true);
        expect(await failureOf(increment())).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
        expect((await increment()).value).toBe(3n);
      },
    );
  });

  describe('honest outcomes', () => {
    beforeEach(() => use(HASTY));

    it('503 when no node is there: nothing was sent', async () => {
      cluster.stop();
      expect(await failureOf(write())).toMatchObject({ code: 'INVALID_LEADER', outcome: 'not_applied' });
      expect(await failureOf(read())).toMatchObject({ code: 'INVALID_LEADER', outcome: 'not_applied' });
    });

    it('503 when every node refuses', async () => {
      cluster.leader = undefined;
      let error: RingraftError;
      do {
        error = await failureOf(write());
        expect(error).toMatchObject({ code: 'INVALID_LEADER', outcome: 'not_applied' });
        // Where the deadline has cut the last attempt short, that is what is told.
      } while (error.detail.includes('no answer'));
      expect(error.detail).toContain('follows');
    });

    it('504 when a write was sent and never answered', async () => {
      everywhere(forWrites(() => undefined));
      expect(await failureOf(write())).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
    });

    it('504 when one attempt was not answered and all others were refused', async () => {
      await write();
      n1.behaviour = forWrites(() => undefined);
      cluster.leader = undefined;
      expect(await failureOf(write())).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
    });

    it('504 when a node says that it does not know', async () => {
      everywhere(
        forWrites((_request, _proceed, respond) => respond(failedResult('OUTCOME_UNKNOWN', 'lost leadership'))),
      );
      expect(await failureOf(write())).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    });

    it('503 for a read that was never answered: it changes nothing', async () => {
      everywhere(() => undefined);
      expect(await failureOf(read())).toMatchObject({ code: 'INVALID_LEADER', outcome: 'not_applied' });
    });

    it('503 for a write whose session could not be opened: the write was not sent', async () => {
      everywhere((request, proceed, respond) => (request.kind === 'openSession' ? undefined : respond(proceed())));
      expect(await failureOf(write())).toMatchObject({ code: 'INVALID_LEADER', outcome: 'not_applied' });
      expect(cluster.revision).toBe(0);
    });

    it('keeps the deadline', async () => {
      everywhere(() => undefined);
      const start = performance.now();
      await failureOf(read());
      expect(performance.now() - start).toBeLessThan(30_000);
    });

    it.each(['STORAGE_FULL', 'VALUE_TOO_LARGE', 'OVERLOADED', 'UNSUPPORTED'] as const)(
      'tells %s at once, without a retry',
      async (code) => {
        await write();
        const before = stampsAt(n1).length;
        n1.behaviour = forWrites((_request, _proceed, respond) => respond(failedResult(code, 'scripted')));
        expect(await failureOf(write())).toMatchObject({ code, outcome: 'not_applied' });
        expect(stampsAt(n1)).toHaveLength(before + 1);
      },
    );

    it.each([[Consistency.LINEARIZABLE], [Consistency.STALE]])(
      'goes on to another node when one is in quarantine (consistency %s)',
      async (consistency) => {
        await write();
        n1.behaviour = (_request, _proceed, respond) => respond(failedResult('QUARANTINED', 'scripted'));
        cluster.leader = n2;
        for (let i = 0; i < 10; i++) expect(await read(consistency)).toBe('v');
      },
    );

    it('does not take a refusal for the outcome after an attempt that may have been applied', async () => {
      await write();
      n1.behaviour = forWrites(() => {
        n1.behaviour = forWrites((_request, _proceed, respond) => respond(failedResult('STORAGE_FULL', 'scripted')));
      });
      expect(await failureOf(write())).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
    });

    it('serves again as soon as the cluster does', async () => {
      cluster.leader = undefined;
      await failureOf(write());
      cluster.leader = n3;
      expect(await write()).toMatchObject({ created: true });
    });
  });

  describe('answers of the state machine', () => {
    it('tells a failed condition with the revision', async () => {
      const { revision } = await write();
      expect(await failureOf(write(set('w', { condition: { kind: 'ifAbsent' } })))).toMatchObject({
        code: 'PRECONDITION_FAILED',
        fields: { revision: String(revision) },
      });
      expect(
        await failureOf(write(set('w', { key: Buffer.from('none'), condition: { kind: 'ifPresent' } }))),
      ).toMatchObject({ code: 'PRECONDITION_FAILED', fields: { revision: '0' } });
    });

    it('tells what cannot be counted', async () => {
      await write();
      expect(await failureOf(increment())).toMatchObject({ code: 'NOT_AN_INTEGER' });
      await write(set(String(2n ** 63n - 1n)));
      expect(await failureOf(increment())).toMatchObject({ code: 'OVERFLOW' });
    });
  });
});
