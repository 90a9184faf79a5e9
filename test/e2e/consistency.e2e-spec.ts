import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { Consistency, MembershipClient } from '@app/rpc';
import type { LocalNode } from '../../tools/local-cluster/local-cluster.js';
import { changeRecordAtRest } from '../support/damaged-state.js';
import { eventually } from '../support/eventually.js';
import { HttpClient } from '../support/http-client.js';
import { TestSystem } from '../support/test-system.js';

const DEADLINE_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const KEYS = Array.from({ length: 50 }, (_, i) => `key-${i}`);

interface ClusterAnswer {
  clusters: {
    health: string;
    nodes: { id: string; is_quarantined: boolean | null; content_hash: string | null; unhealthy_reasons: string[] }[];
  }[];
}

describe('a node whose state is not what it should be', () => {
  let system: TestSystem;

  afterEach(() => system?.dispose(), 60_000);

  const dataDirOf = (node: LocalNode) => join(system.cluster.dataDir, node.name);

  async function start(env: Record<string, string>): Promise<void> {
    system = await TestSystem.start({ env: { RINGRAFT_CONSISTENCY_CHECK_MS: '200', ...env } });
    for (const key of KEYS) expect((await system.http().put(`/v1/kv/${key}`, `value of ${key}`)).status).toBe(201);
    await system.convergedRevisionOf('c1');
  }

  async function damage(node: LocalNode, key: string): Promise<void> {
    await node.stop(STOP_TIMEOUT_MS);
    await changeRecordAtRest(dataDirOf(node), key);
  }

  async function opsText(node: LocalNode, path: string): Promise<{ status: number; text: string }> {
    const http = new HttpClient(node.opsUrl);
    try {
      return await http.get(path);
    } finally {
      http.close();
    }
  }

  /** What this very node says that it holds; undefined when it answers nothing. */
  async function heldBy(node: LocalNode, key: string): Promise<string | undefined> {
    try {
      const answer = await system.grpc(node).get(key, { consistency: Consistency.STALE });
      return answer.value.toString();
    } catch {
      return undefined;
    }
  }

  function quarantined(node: LocalNode): Promise<string> {
    return eventually(
      `${node.name} is in quarantine`,
      async () => {
        const status = await system.grpc(node).status();
        return status.isQuarantined ? status.unhealthyReasons.join('\n') : undefined;
      },
      DEADLINE_MS,
    );
  }

  async function expectAlarm(node: LocalNode, reason: RegExp): Promise<void> {
    expect(await quarantined(node)).toMatch(reason);
    const readiness = await opsText(node, '/readyz');
    expect(readiness.status).toBe(503);
    expect(readiness.text).toMatch(/^\[-\]state failed: .*quarantine/m);
    expect(readiness.text).toContain('raft-node --wipe');
    const metrics = (await opsText(node, '/metrics')).text;
    expect(metrics).toMatch(/^ringraft_quarantined\{.*\} 1$/m);
    expect(metrics).toMatch(/^ringraft_state_diverged\{.*\} 1$/m);
    expect((await opsText(node, '/livez')).status).toBe(200);

    const cluster = await eventually(
      'the cluster is degraded, not without a leader, and all of its nodes answer',
      async () => {
        const [answer] = (await system.http().get('/v1/cluster')).json<ClusterAnswer>().clusters;
        const haveAnswered = answer?.nodes.every(({ is_quarantined }) => is_quarantined !== null);
        return answer?.health === 'degraded' && haveAnswered ? answer : undefined;
      },
      DEADLINE_MS,
    );
    for (const { id, is_quarantined, content_hash, unhealthy_reasons } of cluster.nodes) {
      expect({ id, is_quarantined }).toEqual({ id, is_quarantined: id === node.name });
      expect(content_hash).toMatch(/^[0-9a-f]{16}$/);
      if (id === node.name) expect(unhealthy_reasons.join('\n')).toMatch(reason);
    }
  }

  async function expectServed(): Promise<void> {
    for (const key of KEYS) {
      const { status, text } = await system.http().get(`/v1/kv/${key}`);
      expect({ key, status, text }).toEqual({ key, status: 200, text: `value of ${key}` });
      const stale = await system.http().get(`/v1/kv/${key}?consistency=stale`);
      expect({ key, status: stale.status, text: stale.text }).toEqual({ key, status: 200, text: `value of ${key}` });
    }
  }

  it('finds a record that was changed at rest before anybody reads it, says so everywhere, and stays in quarantine', async () => {
    await start({});
    const victim = await system.leaderOf('c1');
    await damage(victim, KEYS[7]!);
    const leader = await system.leaderOf('c1', victim);
    victim.start();

    const seen = new Set<string | undefined>();
    await eventually(
      `${victim.name} says that it is in quarantine`,
      async () => {
        seen.add(await heldBy(victim, KEYS[7]!));
        return (await system.grpc(victim).status()).isQuarantined;
      },
      DEADLINE_MS,
    );
    for (let i = 0; i < 20; i++) seen.add(await heldBy(victim, KEYS[i]!));
    expect([...seen]).toEqual([undefined]);
    await expectAlarm(victim, /the state database in .* is damaged: after entry \d+ its records have content/);
    await expectServed();

    // It votes and stores entries as before: with one of the others away it is half of the majority.
    const third = (await system.followersOf('c1')).find((node) => node !== victim && node !== leader);
    await third?.stop(STOP_TIMEOUT_MS);
    await eventually(
      'a write is acknowledged',
      async () => (await system.http().put('/v1/kv/later', 'written')).status < 300,
      DEADLINE_MS,
    );
    third?.start();

    await victim.stop(STOP_TIMEOUT_MS);
    victim.start();
    await expectAlarm(victim, /the state database in .* is damaged/);
    expect(await heldBy(victim, KEYS[7]!)).toBeUndefined();
  }, 120_000);

  it('that leads and has diverged is outvoted, and another member takes over', async () => {
    await start({ RINGRAFT_STATE_SCRUB_MS: '0' });
    const victim = await system.leaderOf('c1');
    await damage(victim, KEYS[7]!);
    const leader = await system.leaderOf('c1', victim);
    victim.start();
    await eventually(
      `${victim.name} leads again`,
      async () => {
        const membership = system.grpc(leader).channel.client(MembershipClient);
        const request = { nodeId: victim.name };
        const deadline = Date.now() + 2_000;
        await new Promise<void>((resolve) =>
          membership.transferLeadership(request, new Metadata(), { deadline }, () => resolve()),
        );
        return (await victim.status()).role === 'leader';
      },
      DEADLINE_MS,
    );

    // The wrong record is replaced; what the members take out of their hash for it is not the same.
    expect((await system.http().put(`/v1/kv/${KEYS[7]}`, `value of ${KEYS[7]}`)).status).toBe(200);
    await expectAlarm(
      victim,
      /after entry \d+ the state of this node has content .*, but a majority \(.*\) has content/,
    );
    const next = await system.leaderOf('c1', victim);
    expect(await heldBy(victim, KEYS[1]!)).toBeUndefined();
    await expectServed();
    await eventually(
      'the next leader sees who differs, and counts it',
      async () => {
        const { text } = await opsText(next, '/metrics');
        const isSeen = /^ringraft_state_diverged\{.*\} 1$/m.test(text);
        return isSeen && /^ringraft_consistency_checks_total\{result="outvoted",.*\} [1-9]/m.test(text);
      },
      DEADLINE_MS,
    );
  }, 120_000);
});
