import type { Colors } from '../context.js';
import { bytesText } from '../output/quantities.js';
import { tableOf, type Column } from '../output/table.js';
import type { ClusterView, NodeView, SystemView } from '../system/system-view.js';
import { conditionOf, lagText, roleText, type NodeCondition } from './node-condition.js';

const COLUMNS: readonly Column[] = [
  { head: 'CLUSTER' },
  { head: 'NODE' },
  { head: 'ROLE' },
  { head: 'TERM', align: 'right' },
  { head: 'COMMIT', align: 'right' },
  { head: 'APPLIED', align: 'right' },
  { head: 'LAG', align: 'right' },
  { head: 'LOG', align: 'right' },
  { head: 'STATE', align: 'right' },
  { head: 'VERSION' },
  { head: 'HEALTH' },
];

/** A line for each node, and below the table a line for each cluster, with what is wrong there. */
export function statusText({ clusters }: SystemView, colors: Colors): string {
  const rows = clusters.flatMap((cluster) => cluster.nodes.map((node) => rowOf(cluster, node, colors)));
  const table = tableOf(COLUMNS, rows);
  return [table, '', ...clusters.flatMap((cluster) => summaryOf(cluster, colors))].join('\n');
}

function rowOf(cluster: ClusterView, node: NodeView, colors: Colors): string[] {
  const condition = conditionOf(node);
  const role = roleText(node);
  const number = (value: number | null | undefined): string => (value == null ? '-' : String(value));
  const bytes = (value: number | null | undefined): string => (value == null ? '-' : bytesText(value));
  return [
    cluster.id,
    node.id,
    role === 'leader' ? colors.green(role) : role,
    number(node.term),
    number(node.commit_index),
    number(node.applied_index),
    lagText(node, cluster),
    bytes(node.log_bytes),
    bytes(node.state_bytes),
    node.version ?? '-',
    paint(condition, colors),
  ];
}

function paint(condition: NodeCondition, colors: Colors): string {
  if (condition === 'ok') return colors.green(condition);
  return condition === 'joining' || condition === 'unheard' ? colors.yellow(condition) : colors.red(condition);
}

function summaryOf(cluster: ClusterView, colors: Colors): string[] {
  return [headline(cluster, colors), ...cluster.nodes.flatMap(troublesOf)];
}

function headline({ id, health, leader, term, nodes, is_changing: isChanging }: ClusterView, colors: Colors): string {
  if (id === '?') return colors.red('of an unknown cluster: nobody who answers knows these nodes');
  const led = `led by ${leader} in term ${term}`;
  const changing = isChanging === true ? ', its membership is changing' : '';
  switch (health) {
    case 'healthy':
      return `${id} is ${colors.green('healthy')}: ${led}${changing}`;
    case 'degraded':
      return `${id} is ${colors.yellow('degraded')}, and serves: ${led}${changing}`;
    case 'unavailable': {
      const answering = nodes.filter((node) => node.is_reachable).length;
      const why =
        leader === null
          ? `it has no leader; ${answering} of ${nodes.length} nodes answer`
          : `${leader} does not hear a majority of the voters`;
      return `${id} is ${colors.red('unavailable')}: ${why}. It serves again once a majority of its voters runs`;
    }
  }
}

/** Indented below their cluster. */
function troublesOf(node: NodeView): string[] {
  const { id, address, expulsion, unhealthy_reasons: reasons, replaces } = node;
  switch (conditionOf(node)) {
    case 'unreachable':
      return [`  ${id} does not answer at ${address}: ${reasons.join('; ')}`];
    case 'expelled':
      return [`  ${id} is no member: ${expulsion}`];
    case 'quarantined':
    case 'unwell':
      return reasons.map((reason) => `  ${id}: ${reason}`);
    case 'unheard':
      return [`  ${id} answers, and its leader has not heard it for an election timeout: see the network between them`];
    case 'joining':
      return [`  ${id} is catching up, and becomes a voter by itself${replaces ? ` in the place of ${replaces}` : ''}`];
    case 'ok':
      return [];
  }
}
