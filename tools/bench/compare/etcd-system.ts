import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { httpGet } from '../../local-cluster/http-get.js';
import { freePorts } from '../../local-cluster/ports.js';
import { fillEtcd } from './etcd-fill.js';
import { ForeignProcess } from './foreign-process.js';
import { httpPost } from './http-post.js';
import type { RecoverableSystem } from './many-keys.js';
import { versionOf } from './program.js';
import type { FailoverSystem, SystemProcess } from './system.js';

const MEMBERS = 3;
const START_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 20;
const ASK_TIMEOUT_MS = 1_000;

interface Member {
  readonly name: string;
  readonly process: ForeignProcess;
  readonly url: string;
}

/** etcd with three members and its defaults. Requests go to the JSON gateway of its leader, which serves them fastest. */
export class EtcdSystem implements FailoverSystem, RecoverableSystem {
  readonly name = 'etcd';
  readonly description = `${versionOf('etcd').replace('etcd Version: ', 'etcd ')}, ${MEMBERS} members, its JSON gateway at the leader`;
  readonly dialect = 'etcd';
  private members: readonly Member[] = [];
  private killed: Member | undefined;

  constructor(private readonly dataDir: string) {}

  async start(): Promise<void> {
    const ports = await freePorts(2 * MEMBERS);
    const places = Array.from({ length: MEMBERS }, (_, i) => ({
      name: `m${i + 1}`,
      url: `http://127.0.0.1:${ports[i]!}`,
      peerUrl: `http://127.0.0.1:${ports[MEMBERS + i]!}`,
    }));
    const cluster = places.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
    this.members = places.map(({ name, url, peerUrl }) => ({
      name,
      url,
      process: new ForeignProcess(
        'etcd',
        [
          ...['--name', name, '--data-dir', join(this.dataDir, `etcd-${name}`)],
          ...['--listen-client-urls', url, '--advertise-client-urls', url],
          ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
          ...['--initial-cluster', cluster, '--initial-cluster-state', 'new'],
        ],
        join(this.dataDir, `etcd-${name}.log`),
      ),
    }));
    await this.restartAll();
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(({ process }) => process.stop()));
  }

  async url(): Promise<string> {
    return (await this.leader()).url;
  }

  async processes(): Promise<readonly SystemProcess[]> {
    const leader = await this.leader();
    return this.members
      .filter(({ process }) => process.isRunning)
      .map((member) => ({ pid: member.process.pid, kind: member === leader ? 'leader' : 'follower' }));
  }

  async killLeader(): Promise<{ killedAtMs: number; url: string }> {
    const leader = await this.leader();
    const survivor = this.members.find((member) => member !== leader)!;
    this.killed = leader;
    const killedAtMs = performance.now();
    await leader.process.kill();
    return { killedAtMs, url: survivor.url };
  }

  async repair(): Promise<void> {
    const { killed } = this;
    if (!killed) return;
    killed.process.start();
    await killed.process.ready(() => isHealthy(killed.url), START_TIMEOUT_MS);
    this.killed = undefined;
  }

  async fill(count: number, valueBytes: number, signal: AbortSignal): Promise<void> {
    await fillEtcd(await this.url(), count, valueBytes, signal);
  }

  async killAll(): Promise<void> {
    await Promise.all(this.members.map(({ process }) => process.kill()));
  }

  async restartAll(): Promise<void> {
    for (const { process } of this.members) process.start();
    await Promise.all(this.members.map(({ process, url }) => process.ready(() => isHealthy(url), START_TIMEOUT_MS)));
  }

  /** Waits for one, for some time. */
  private async leader(): Promise<Member> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      for (const member of this.members) {
        if (await leads(member)) return member;
      }
      if (performance.now() > deadline) throw new Error('etcd has no leader');
      await delay(POLL_INTERVAL_MS);
    }
  }
}

async function leads({ process, url }: Member): Promise<boolean> {
  if (!process.isRunning) return false;
  try {
    const { text } = await httpPost(`${url}/v3/maintenance/status`, '{}', ASK_TIMEOUT_MS);
    const status = JSON.parse(text) as { leader?: string; header?: { member_id?: string } };
    return status.leader !== undefined && status.leader === status.header?.member_id;
  } catch {
    return false;
  }
}

/** It says so only when there is a leader. */
async function isHealthy(url: string): Promise<boolean> {
  const { status, text } = await httpGet(`${url}/health`, ASK_TIMEOUT_MS);
  return status === 200 && (JSON.parse(text) as { health?: string }).health === 'true';
}
