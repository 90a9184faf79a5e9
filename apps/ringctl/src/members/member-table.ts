import type { Colors } from '../context.js';
import { tableOf, type Column } from '../output/table.js';
import { conditionOf, lagText, roleText } from '../status/node-condition.js';
import type { ClusterView, NodeView } from '../system/system-view.js';

const COLUMNS: readonly Column[] = [
  { head: 'NODE' },
  { head: 'ADDRESS' },
  { head: 'MEMBER' },
  { head: 'ROLE' },
  { head: 'STORED', align: 'right' },
  { head: 'LAG', align: 'right' },
  { head: 'HEALTH' },
];

export function memberText(cluster: ClusterView, colors: Colors): string {
  const rows = cluster.nodes.map((node) => {
    const condition = conditionOf(node);
    return [
      node.id,
      node.address,
      membershipText(node),
      roleText(node),
      node.match_index == null ? '-' : String(node.match_index),
      lagText(node, cluster),
      condition === 'ok' ? colors.green(condition) : colors.yellow(condition),
    ];
  });
  const { id, leader, term, configuration_index: index, is_changing: isChanging } = cluster;
  const led =
    leader === null
      ? `${id} has no leader: this is how it was last known`
      : `${id} is led by ${leader} in term ${term}`;
  const set = index == null ? '' : `; membership of entry ${index}${isChanging === true ? ', which is changing' : ''}`;
  return `${tableOf(COLUMNS, rows)}\n\n${led}${set}`;
}

function membershipText({ is_learner: isLearner, is_joining: isJoining, replaces }: NodeView): string {
  if (isLearner == null) return 'no';
  if (!isLearner) return 'voter';
  if (isJoining !== true) return 'learner';
  return replaces ? `joining for ${replaces}` : 'joining';
}
