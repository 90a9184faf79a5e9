import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '@app/platform';
import { parseClusterList, placedClusters } from './cluster-list.js';
import { GatewayConfig } from './gateway.config.js';

const CLUSTERS = 'c1=c1-n1@127.0.0.1:7001|c1-n2@127.0.0.1:7002;c2=c2-n1@[::1]:7011';
const load = (env: Record<string, string>) => loadConfig(GatewayConfig, { env });

function faultsOf(env: Record<string, string>): string {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.join('\n');
    throw error;
  }
  return '';
}

describe('GatewayConfig', () => {
  it('reads the clusters and keeps the documented defaults', () => {
    const config = load({ RINGRAFT_CLUSTERS: CLUSTERS });
    expect(placedClusters(config.clusters)).toEqual([
      {
        id: 'c1',
        weight: 1,
        nodes: [
          { id: 'c1-n1', address: '127.0.0.1:7001' },
          { id: 'c1-n2', address: '127.0.0.1:7002' },
        ],
      },
      { id: 'c2', weight: 1, nodes: [{ id: 'c2-n1', address: '[::1]:7011' }] },
    ]);
    expect(config).toMatchObject({
      listen: '127.0.0.1:8080',
      requestTimeoutMs: 5_000,
      keyBytesMax: 4_096,
      valueBytesMax: 1_048_576,
    });
  });

  describe('a file', () => {
    let directory: string;
    beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'gateway-config-'))));
    afterAll(() => rmSync(directory, { recursive: true }));
    const fromFile = (yaml: string) => {
      const path = join(directory, 'gateway.yaml');
      writeFileSync(path, yaml);
      return { RINGRAFT_CONFIG: path };
    };

    it('gives the clusters as a mapping, with weights', () => {
      const yaml =
        'clusters:\n  big: { weight: 3, nodes: { n1: "127.0.0.1:1" } }\n  small:\n    nodes:\n      n2: 127.0.0.1:2\n';
      expect(placedClusters(load(fromFile(yaml)).clusters)).toEqual([
        { id: 'big', weight: 3, nodes: [{ id: 'n1', address: '127.0.0.1:1' }] },
        { id: 'small', weight: 1, nodes: [{ id: 'n2', address: '127.0.0.1:2' }] },
      ]);
    });

    it.each([
      ['clusters: [c1]', 'must be a mapping'],
      ['clusters: { c1: [a] }', 'cluster c1 must have nodes'],
      ['clusters: { c1: { nodes: { a: 7001 } } }', 'address 7001 of node a'],
      ['clusters: { c1: { nodes: { a: "h:1" }, color: red } }', 'unknown key color'],
      ['clusters: { c1: { weight: 0, nodes: { a: "h:1" } } }', 'weight'],
      ['clusters: { c1: { nodes: {} } }', 'cluster c1 has no node'],
    ])('is refused with %j, saying %j', (yaml, message) => {
      expect(faultsOf(fromFile(yaml))).toContain(message);
    });
  });

  it('takes spaces, newlines and a closing semicolon', () => {
    expect(parseClusterList(' c1 = a@h:1 | b@h:2 ;\n c2=c@h:3; ')).toEqual({
      c1: { nodes: { a: 'h:1', b: 'h:2' } },
      c2: { nodes: { c: 'h:3' } },
    });
  });

  it('names nodes of which only the address is given', () => {
    expect(parseClusterList('c1=h:1|a@h:2|[::1]:3')).toEqual({
      c1: { nodes: { 'c1.seed-1': 'h:1', a: 'h:2', 'c1.seed-3': '[::1]:3' } },
    });
    expect(faultsOf({ RINGRAFT_CLUSTERS: 'c1=h:1|[::1]:3;c2=h:4' })).toBe('');
  });

  it.each([
    ['', 'clusters is missing'],
    ['c1', 'c1'],
    ['c1=', 'c1='],
    ['c1=a', '"a" is no node'],
    ['c1=a@h:1|a@h:2', 'a is there twice'],
    ['c1=a@h:1;c1=b@h:2', 'c1 is there twice'],
    [';', 'names no cluster'],
    ['c1=a@h', '"a@h" is no node'],
    ['c1=@h:1', '"@h:1" is no node'],
    ['c1=a@h:0', 'address "h:0" of node a'],
    ['c1=a@h:70000', 'address "h:70000" of node a'],
    ['c 1=a@h:1', 'c 1'],
    ['c1=a@h:1;c2=a@h:2', 'node a is in c1 and in c2'],
  ])('refuses clusters %j, saying %j', (clusters, message) => {
    expect(faultsOf({ RINGRAFT_CLUSTERS: clusters })).toContain(message);
  });

  it.each([
    [{ RINGRAFT_LISTEN: 'here' }, 'listen'],
    [{ RINGRAFT_REQUEST_TIMEOUT_MS: '0' }, 'requestTimeoutMs'],
    [{ RINGRAFT_KEY_BYTES_MAX: 'many' }, 'keyBytesMax'],
    [{ RINGRAFT_RETRY_DELAY_MS: '300' }, 'retryDelayMs must not be above retryDelayMaxMs'],
    [{ RINGRAFT_SHUTDOWN_GRACE_MS: '10000' }, 'shutdownGraceMs must be below shutdownTimeoutMs'],
    [{ RINGRAFT_VALUE_BYTES_MAX: '8388608', RINGRAFT_PENDING_BYTES_MAX: '1048576' }, 'pendingBytesMax'],
  ])('refuses %j, naming %s', (env, message) => {
    expect(faultsOf({ RINGRAFT_CLUSTERS: CLUSTERS, ...env })).toContain(message);
  });
});
