import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { eventually } from '../support/eventually.js';
import { familiesOf, familyOf, sampleOf, type MetricFamilies } from '../support/metrics-text.js';
import { groupingsOf, selectorsOf } from '../support/promql.js';
import { TestSystem } from '../support/test-system.js';

/** Far above what it takes: a machine that is busy with other tests must not fail this one. */
jest.setTimeout(120_000);

const DEADLINE_MS = 60_000;
const OPERATIONS = readFileSync('docs/operations.md', 'utf8');

/** What Prometheus itself adds: `up`, and where a sample came from. */
const PROMETHEUS_LABELS = ['job', 'instance', 'le'];

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: { readonly summary?: string; readonly runbook?: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const rules = (
  parseYaml(readFileSync('deploy/prometheus/alerts.yaml', 'utf8')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(readFileSync('deploy/grafana/ringraft.json', 'utf8')) as Dashboard;

interface LoggingProcess {
  readonly logPath: string;
}

function linesOf({ logPath }: LoggingProcess): Record<string, unknown>[] {
  return readFileSync(logPath, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The section of docs/operations.md under this heading, up to the next one of its level. */
function section(heading: string): string {
  const [, body] = new RegExp(`^## ${heading}\\n([^]*?)(?=^## |$(?![^]))`, 'm').exec(OPERATIONS) ?? [];
  if (body === undefined) throw new Error(`docs/operations.md has no section ${heading}`);
  return body;
}

/** Every metric that a row of the tables under "Metrics" names in its first column; a `*` at the end stands for any rest. */
const documented = section('Metrics')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => [...line.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));

describe('what an operator sees', () => {
  let system: TestSystem;
  let nodeTexts: string[];
  let gatewayText: string;
  let families: MetricFamilies;

  const scrapeNodes = () =>
    Promise.all(system.cluster.nodes.map(async ({ opsUrl }) => (await fetch(`${opsUrl}/metrics`)).text()));

  beforeAll(async () => {
    system = await TestSystem.start({ clusters: 1, nodes: 3, gateways: 1, env: { RINGRAFT_LOG_LEVEL: 'debug' } });
    await system.http().put('/v1/kv/seen', 'value');
    await system.http().get('/v1/kv/seen');
    await system.http().get('/v1/kv/not-there');
    await eventually(
      'every node has measured the way to both others',
      async () => {
        nodeTexts = await scrapeNodes();
        return nodeTexts.every(
          (text) => text.match(/^ringraft_peer_round_trip_seconds_count\{.*\} [1-9]/gm)?.length === 2,
        );
      },
      DEADLINE_MS,
    );
    gatewayText = (await system.http().get('/metrics')).text;
    families = familiesOf(...nodeTexts, gatewayText);
  });

  afterAll(() => system?.dispose(), 60_000);

  it('documents every metric that is there, and no other', () => {
    const patterns = documented.map((name) => new RegExp(`^${name.replace('*', '.*')}$`));
    const undocumented = [...families.keys()].filter((name) => !patterns.some((pattern) => pattern.test(name)));
    const missing = documented.filter((_, i) => ![...families.keys()].some((there) => patterns[i]!.test(there)));
    expect({ undocumented, missing }).toEqual({ undocumented: [], missing: [] });
    expect(documented.filter((name) => name.includes('*'))).toEqual(['ringraft_process_*', 'ringraft_nodejs_*']);
  });

  it('counts what happened', async () => {
    const leader = await system.leaderOf('c1');
    const text = nodeTexts[system.cluster.nodes.indexOf(leader)]!;
    const of = (name: string) => sampleOf(text, name, { cluster: 'c1', node: leader.name });
    expect(of('ringraft_is_leader')).toBe(1);
    expect(of('ringraft_commands_applied_total')).toBeGreaterThanOrEqual(1);
    expect(of('ringraft_proposals_committed_total')).toBe(of('ringraft_commit_index'));
    expect(of('ringraft_proposals_applied_total')).toBeGreaterThanOrEqual(2);
    expect(of('ringraft_apply_duration_seconds_count')).toBeGreaterThanOrEqual(1);
    expect(of('ringraft_read_index_duration_seconds_count')).toBeGreaterThanOrEqual(2);
    expect(of('ringraft_log_fsync_duration_seconds_count')).toBeGreaterThanOrEqual(1);
    for (const { name: member } of system.cluster.nodes.filter((node) => node !== leader)) {
      expect(sampleOf(text, 'ringraft_member_active', { member })).toBe(1);
    }
    expect(sampleOf(gatewayText, 'ringraft_gateway_errors_total', { code: 'NOT_FOUND' })).toBe(1);
    const put = { route: 'PUT /v1/kv/:key', outcome: 'applied' };
    expect(sampleOf(gatewayText, 'ringraft_gateway_request_duration_seconds_count', put)).toBe(1);
  });

  const expressions = [
    ...rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
    ...dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: `panel ${title}`, expr })),
    ),
  ];

  it('has alerts and a dashboard of metrics and labels that are there', () => {
    const wrong: string[] = [];
    for (const { where, expr } of expressions) {
      const groupings = groupingsOf(expr);
      for (const { metric, labels } of selectorsOf(expr)) {
        if (metric === 'up') continue;
        const known = families.get(familyOf(metric, families));
        if (known === undefined) wrong.push(`${where}: there is no ${metric}`);
        for (const label of [...labels, ...groupings]) {
          if (known?.has(label) === false && !PROMETHEUS_LABELS.includes(label)) {
            wrong.push(`${where}: ${metric} has no label ${label}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(expressions.length).toBeGreaterThan(60);
  });

  it('has an alert or a panel for all that should be watched', () => {
    const used = new Set(
      expressions.flatMap(({ expr }) => selectorsOf(expr).map(({ metric }) => familyOf(metric, families))),
    );
    const alerting = section('Metrics')
      .split('\n')
      .filter((line) => line.startsWith('| `') && line.includes('Ringraft'))
      .flatMap((line) => [...line.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
    expect(alerting.filter((name) => !name.includes('*') && !used.has(name))).toEqual([]);
  });

  it('leads from a request in the log of the gateway to the log of a node, and to the entry', async () => {
    const headers = { 'x-request-id': 'trace-me/1' };
    const written = await system.http().put('/v1/kv/traced', 'value', { headers });
    expect([written.status, written.headers['x-request-id']]).toEqual([201, 'trace-me/1']);
    const read = await system.http().get('/v1/kv/traced', { headers: { 'x-request-id': 'trace-me/2' } });
    expect(read.headers['x-request-id']).toBe('trace-me/2');

    const lineOf = (process: LoggingProcess, requestId: string) =>
      eventually(
        `${requestId} is in the log`,
        () => linesOf(process).find((line) => line['requestId'] === requestId),
        DEADLINE_MS,
      );
    const [gateway] = system.cluster.gateways;
    const atGateway = await lineOf(gateway!, 'trace-me/1');
    expect(atGateway).toMatchObject({
      method: 'PUT',
      route: '/v1/kv/:key',
      status: 201,
      cluster: 'c1',
      attempts: 1,
      clientId: expect.any(Number) as number,
      sequence: expect.any(Number) as number,
    });
    const node = system.cluster.nodes.find(({ name }) => name === atGateway['node'])!;
    const atNode = await lineOf(node, 'trace-me/1');
    expect(atNode).toMatchObject({
      kind: 'set',
      index: expect.any(Number) as number,
      term: expect.any(Number) as number,
    });
    const { appliedIndex, lastIndex } = await system.grpc(node).status();
    expect(atNode['index']).toBeGreaterThan(0);
    expect(atNode['index']).toBeLessThanOrEqual(lastIndex);
    const readAtNode = await lineOf(node, 'trace-me/2');
    expect(readAtNode['index']).toBeGreaterThanOrEqual(Number(atNode['index']));
    expect(readAtNode['index']).toBeLessThanOrEqual(appliedIndex);
    // Of neither is the key or the value in any log.
    for (const process of [gateway!, ...system.cluster.nodes]) {
      expect(linesOf(process).filter((line) => JSON.stringify(line).includes('/traced'))).toEqual([]);
    }
  });

  it('has on each line of its logs when, how grave, who, and in which term', () => {
    const [node] = system.cluster.nodes;
    const lines = linesOf(node!);
    for (const line of lines) {
      expect(line).toMatchObject({ cluster: 'c1', node: node!.name, msg: expect.any(String) as string });
      expect(['debug', 'info', 'warn', 'error', 'fatal']).toContain(line['level']);
      expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
    expect(lines.find(({ msg }) => msg === 'node started')).toHaveProperty('term', expect.any(Number));
  });
});

describe('deploy/prometheus/alerts.yaml', () => {
  const headings = [...OPERATIONS.matchAll(/^#{2,4} (.+)$/gm)].map(([, heading]) => heading!);
  const anchors = headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );

  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s says for how long, how grave, what, and what to do',
    (alert, rule) => {
      expect(rule.for).toMatch(/^\d+[smh]$/);
      expect(['warning', 'critical']).toContain(rule.labels?.severity);
      expect(rule.annotations?.summary).toMatch(/\S.{15,}/);
      const [file, anchor] = rule.annotations?.runbook?.split('#') ?? [];
      expect(file).toBe('docs/operations.md');
      expect(anchors).toContain(anchor);
      expect(anchor).toBe(alert.toLowerCase());
    },
  );

  it('has each alert once, and docs/operations.md knows no other', () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    const described = [...section('Alerts').matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading!);
    expect(described.sort()).toEqual([...names].sort());
    for (const [, name] of section('Metrics').matchAll(/\b(Ringraft[A-Z]\w+)/g)) expect(names).toContain(name);
  });
});

describe('deploy/grafana/ringraft.json', () => {
  it('has the form that Grafana imports', () => {
    expect(dashboard).toMatchObject({ uid: 'ringraft', title: 'Ringraft' });
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, title, gridPos, targets } of dashboard.panels) {
      expect(['row', 'stat', 'timeseries']).toContain(type);
      expect(title).not.toBe('');
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      expect(new Set(targets?.map(({ refId }) => refId)).size).toBe(targets?.length ?? 0);
    }
  });

  it('covers no panel with another', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('uses the variables that it defines', () => {
    const defined = dashboard.templating.list.map(({ name }) => name);
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)\}?/g)].map(([, name]) => name!);
    expect([...new Set(used)].sort()).toEqual([...defined].sort());
  });
});
