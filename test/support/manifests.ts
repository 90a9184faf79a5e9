import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { ProcessSpec } from './deployed-process.js';

export interface ComposeFile {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly command: readonly string[];
        readonly environment: Readonly<Record<string, string>>;
        readonly volumes?: readonly string[];
        readonly ports?: readonly string[];
        readonly healthcheck: { readonly test: readonly string[] };
      }
    >
  >;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export function readCompose(): ComposeFile {
  return parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as ComposeFile;
}

/** What the image sets for every process in it. */
const IMAGE_ENV = { NODE_ENV: 'production' };

export function processesOfCompose({ services }: ComposeFile): ProcessSpec[] {
  return Object.entries(services).map(([name, { command, environment }]) => ({
    name,
    host: name,
    command,
    env: { ...IMAGE_ENV, ...environment },
  }));
}

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env?: readonly {
    readonly name: string;
    readonly valueFrom: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly Container[]; readonly volumes?: readonly { readonly name: string }[] };
}

export interface Workload extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: PodTemplate;
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

const KUBERNETES = 'deploy/kubernetes';

/** All objects in `deploy/kubernetes`, but for the kustomization, which is none. */
export function readKubernetes(): KubernetesObject[] {
  return readdirSync(KUBERNETES)
    .filter((name) => name !== 'kustomization.yaml')
    .flatMap((name) =>
      parseAllDocuments(readFileSync(join(KUBERNETES, name), 'utf8')).map(
        (document) => document.toJS() as KubernetesObject,
      ),
    );
}

export function isWorkload(object: KubernetesObject): object is Workload {
  return object.kind === 'StatefulSet' || object.kind === 'Deployment';
}

/** The pods of a StatefulSet, or one of a Deployment, with what comes from config maps and from the pod itself. */
export function processesOfWorkload(workload: Workload, objects: readonly KubernetesObject[]): ProcessSpec[] {
  const { name } = workload.metadata;
  const { replicas = 1, serviceName, template } = workload.spec;
  const [container] = template.spec.containers;
  if (container === undefined) throw new Error(`${name} has no container`);
  const fromMaps = container.envFrom.map(({ configMapRef }) => {
    const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef.name);
    if (map === undefined) throw new Error(`${name} refers to ${configMapRef.name}, which is not there`);
    return (map as KubernetesObject & { data: Record<string, string> }).data;
  });
  return Array.from({ length: replicas }, (_, i): ProcessSpec => {
    const podName = workload.kind === 'StatefulSet' ? `${name}-${i}` : name;
    const ofPod = (container.env ?? []).map(({ name: variable, valueFrom }) => {
      if (valueFrom.fieldRef.fieldPath !== 'metadata.name') throw new Error(`${variable} is not known here`);
      return [variable, podName] as const;
    });
    return {
      name: podName,
      host: serviceName === undefined ? podName : `${podName}.${serviceName}`,
      command: container.args,
      env: Object.assign({}, IMAGE_ENV, ...fromMaps, Object.fromEntries(ofPod)) as Record<string, string>,
    };
  });
}

/** The settings of a unit of systemd, by section and name; each may be there several times. */
export type Unit = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export function readUnit(path: string): Unit {
  const unit: Record<string, Record<string, string[]>> = {};
  let section: Record<string, string[]> = {};
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, header] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (header !== undefined) section = unit[header] ??= {};
    else (section[line.slice(0, line.indexOf('='))] ??= []).push(line.slice(line.indexOf('=') + 1));
  }
  return unit;
}

/** The process of a unit; `instance` stands for `%i`, and the files of `/etc/ringraft` are the examples beside the unit. */
export function processOfUnit(path: string, host: string, instance = ''): ProcessSpec {
  const { Service: service = {} } = readUnit(path);
  const resolved = (text: string) => text.replaceAll('%i', instance);
  const lines = [
    ...(service['Environment'] ?? []),
    ...(service['EnvironmentFile'] ?? []).flatMap((file) =>
      readFileSync(file.replace('/etc/ringraft', 'deploy/systemd'), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')),
    ),
  ];
  return {
    name: instance === '' ? 'gateway' : instance,
    host,
    command: resolved(service['ExecStart']?.[0] ?? '').split(' '),
    env: Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), resolved(line.slice(line.indexOf('=') + 1))]),
    ),
  };
}
