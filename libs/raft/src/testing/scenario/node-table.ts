import { logOfView, roleOf, type NodeView } from './node-view.js';

const header = ['node', 'role', 'term', 'vote', 'commit', 'applied', 'configuration', 'log'];

/** All nodes side by side; of one that is down, what it would find on its disk is not known here, only what it had. */
export function nodeTable(views: readonly NodeView[]): string[] {
  const rows = views.map((view) => [
    view.id,
    roleOf(view),
    `${view.term}`,
    view.votedFor ?? '-',
    `${view.commitIndex}`,
    `${view.appliedIndex}`,
    view.configuration,
    logOfView(view),
  ]);
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
