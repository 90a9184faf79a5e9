import { firstPlacement } from '@app/placement';
import { DeployedSystem, type DeployedProcess } from '../support/deployed-process.js';
import { eventually } from '../support/eventually.js';
import {
  isWorkload,
  processOfUnit,
  processesOfCompose,
  processesOfWorkload,
  readCompose,
  readKubernetes,
  type Workload,
} from '../support/manifests.js';

/** Far above what it takes: a machine that is busy with other tests must not fail this one. */
jest.setTimeout(240_000);

const START_TIMEOUT_MS = 120_000;
const DEADLINE_MS = 60_000;

/**
 * Of the three clusters of a manifest one is started, and a gateway: the files of the others differ in names only. These two know of all three.
 */
const CLUSTERS = ['c1', 'c2', 'c3'];

/** A key of the cluster that is started. */
const KEY = keyOf('c1');

function keyOf(clusterId: string): string {
  const placement = firstPlacement(
    CLUSTERS.map((id) => ({ id, weight: 1, nodes: [{ id: `${id}-n1`, address: `${id}.example.net:1` }] })),
  );
  for (let n = 0; ; n++) {
    const key = `deployed-${n}`;
    if (placement.locate(Buffer.from(key)).cluster.id === clusterId) return key;
  }
}

/** A key that is written and read through the gateway. */
async function expectToServe(gatewayUrl: string): Promise<void> {
  const url = `${gatewayUrl}/v1/kv/${KEY}`;
  expect((await fetch(url, { method: 'PUT', body: 'value' })).status).toBe(201);
  const answer = await fetch(url);
  expect([answer.status, await answer.text()]).toEqual([200, 'value']);
}

/** It serves the cluster that runs, and says of which ones it does not know the leader. */
async function expectToMissTheOthers(gateway: DeployedProcess): Promise<void> {
  gateway.start();
  await gateway.answers('/livez', START_TIMEOUT_MS);
  await eventually(
    'the gateway has found the leader of c1',
    async () => {
      const text = await (await fetch(`${gateway.healthUrl}/readyz`)).text();
      return text.includes('c2') && text.includes('c3') && !text.includes('c1');
    },
    DEADLINE_MS,
  );
}

function expectAllToHaveEndedWell(codes: Record<string, number | null>): void {
  expect(Object.entries(codes).filter(([, code]) => code !== 0)).toEqual([]);
}

describe('the processes of compose.yaml, with its commands and its environment', () => {
  const compose = readCompose();
  let system: DeployedSystem;

  beforeAll(async () => {
    system = await DeployedSystem.layOut(processesOfCompose(compose));
    await system.start(['c1-n1', 'c1-n2', 'c1-n3'], START_TIMEOUT_MS);
    await expectToMissTheOthers(system.process('gateway'));
  });
  afterAll(() => system?.dispose());

  it('serve', () => expectToServe(`http://${system.process('gateway').addressOf(8080)}`));

  it('are healthy by the health checks of the file and of the image, and not once they have stopped', async () => {
    const checkOf = (name: string) => {
      const [kind, ...check] = compose.services[name]!.healthcheck.test;
      expect(kind).toBe('CMD');
      return check;
    };
    const [node, gateway] = [system.process('c1-n1'), system.process('gateway')];
    expect(await node.run(checkOf('c1-n1'))).toEqual({ code: 0, printed: '' });
    const { code, printed } = await gateway.run(checkOf('gateway'));
    expect([code, printed]).toEqual([1, expect.stringContaining('c2')]);
    for (const process of [node, gateway]) {
      expect(await process.run(['node', 'health.mjs', '/livez'])).toEqual({ code: 0, printed: '' });
    }
    const codes = await system.stop();
    expectAllToHaveEndedWell(codes);
    expect(await node.run(checkOf('c1-n1'))).toMatchObject({ code: 1 });
  });
});

describe('the pods of deploy/kubernetes, with their commands and their environment', () => {
  const objects = readKubernetes();
  const workloads = objects.filter(isWorkload);
  let system: DeployedSystem;

  beforeAll(async () => {
    system = await DeployedSystem.layOut(workloads.flatMap((workload) => processesOfWorkload(workload, objects)));
    await system.start(['ringraft-c1-0', 'ringraft-c1-1', 'ringraft-c1-2'], START_TIMEOUT_MS);
    await expectToMissTheOthers(system.process('ringraft-gateway'));
  });
  afterAll(() => system?.dispose());

  const containerOf = ({ spec }: Workload) => spec.template.spec.containers[0]!;

  it('pass their probes, on the ports that these name', async () => {
    const answerOf = async (workload: Workload, pod: string, probe: 'startup' | 'liveness' | 'readiness') => {
      const { ports, ...container } = containerOf(workload);
      const { path, port } = container[`${probe}Probe`].httpGet;
      const { containerPort } = ports.find((declared) => declared.name === port)!;
      return (await fetch(`http://${system.process(pod).addressOf(containerPort)}${path}`)).status;
    };
    const [gateway, nodes] = ['ringraft-gateway', 'ringraft-c1'].map((name) =>
      workloads.find(({ metadata }) => metadata.name === name)!,
    );
    for (const probe of ['startup', 'liveness', 'readiness'] as const) {
      expect([probe, await answerOf(nodes!, 'ringraft-c1-0', probe)]).toEqual([probe, 200]);
      // Two of its clusters have no leader here.
      const expected = probe === 'readiness' ? 503 : 200;
      expect([probe, await answerOf(gateway!, 'ringraft-gateway', probe)]).toEqual([probe, expected]);
    }
  });

  it('serve', () => expectToServe(`http://${system.process('ringraft-gateway').addressOf(8080)}`));

  it('hand the leadership over before they stop: preStop moves it from the leader to another node, and does nothing elsewhere', async () => {
    const set = workloads.find(({ metadata }) => metadata.name === 'ringraft-c1')!;
    const preStop = containerOf(set).lifecycle!.preStop.exec.command;
    const pods = processesOfWorkload(set, objects).map(({ name }) => system.process(name));
    const leader = () =>
      eventually(
        'the cluster has one leader',
        async () => {
          const leads = await Promise.all(pods.map((pod) => pod.isLeader()));
          const leading = pods.filter((_, i) => leads[i]);
          return leading.length === 1 ? leading[0] : undefined;
        },
        DEADLINE_MS,
      );
    const others = (pod: DeployedProcess) => pods.filter((other) => other !== pod);

    const first = await leader();
    const [follower] = others(first);
    expect(await follower!.run(preStop)).toEqual({ code: 0, printed: `${follower!.spec.name} does not lead.\n` });
    const { code, printed } = await first.run(preStop);
    expect([code, printed]).toEqual([
      0,
      expect.stringMatching(/ has taken the leadership over from ringraft-c1-\d\.\n/),
    ]);
    const successor = printed.split(' ')[0];
    expect(others(first).map(({ spec }) => spec.name)).toContain(successor);
    // What it leaves behind is a follower that may be stopped, and a cluster that serves.
    expect(await first.isLeader()).toBe(false);
    expect(await first.stop()).toBe(0);
    await expectToServeStill();
  });

  async function expectToServeStill(): Promise<void> {
    const answer = await fetch(`http://${system.process('ringraft-gateway').addressOf(8080)}/v1/kv/${KEY}`);
    expect([answer.status, await answer.text()]).toEqual([200, 'value']);
  }

  it('end with 0 on SIGTERM', async () => expectAllToHaveEndedWell(await system.stop()));
});

describe('the services of deploy/systemd, with their commands and their environment', () => {
  let system: DeployedSystem;

  beforeAll(async () => {
    const instances = ['c1-n1', 'c1-n2', 'c1-n3'];
    system = await DeployedSystem.layOut([
      ...instances.map((id) => processOfUnit('deploy/systemd/ringraft-node@.service', `${id}.example.net`, id)),
      processOfUnit('deploy/systemd/ringraft-gateway.service', 'gateway.example.net'),
    ]);
    await system.start([...instances, 'gateway'], START_TIMEOUT_MS);
  });
  afterAll(() => system?.dispose());

  it('serve, and end with 0 on SIGTERM', async () => {
    await expectToServe(`http://${system.process('gateway').addressOf(8080)}`);
    expectAllToHaveEndedWell(await system.stop());
  });
});
