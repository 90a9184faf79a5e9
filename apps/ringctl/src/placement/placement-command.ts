import { Command } from 'commander';
import type { CommandContext } from '../context.js';
import { tableOf, type Column } from '../output/table.js';
import { placementOfGateway, type PlacementMapView } from './placement-map.js';

const COLUMNS: readonly Column[] = [
  { head: 'CLUSTER' },
  { head: 'WEIGHT', align: 'right' },
  { head: 'SLOTS', align: 'right' },
  { head: 'SHARE', align: 'right' },
  { head: 'NODES' },
];

/** `ringctl placement` */
export function placementCommand(context: CommandContext): Command {
  return new Command('placement')
    .description('Shows which cluster owns how many of the slots; with -o json, which ones.')
    .action(async () => {
      const map = await placementOfGateway(context);
      if (context.isJson) context.printJson(map);
      else context.print(placementText(map));
    });
}

export function placementText({ epoch, slot_count: slotCount, clusters }: PlacementMapView): string {
  const rows = clusters.map(({ id, weight, slots, nodes }) => [
    id,
    String(weight),
    String(slots),
    `${((100 * slots) / slotCount).toFixed(1)}%`,
    nodes.map((node) => `${node.id}=${node.address}`).join(' '),
  ]);
  return `${tableOf(COLUMNS, rows)}\n\nepoch ${epoch}, ${slotCount} slots`;
}
