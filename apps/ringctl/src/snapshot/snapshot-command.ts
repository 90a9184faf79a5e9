import { Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from '../context.js';
import { parseAddress } from '../global-options.js';
import type { RestoreFlags, SaveFlags } from './snapshot-actions.js';

/** `ringctl snapshot`: backups of clusters. */
export function snapshotCommand(context: CommandContext): Command {
  const actions = () => import('./snapshot-actions.js');
  const command = new Command('snapshot').description('Saves, inspects and restores backups of clusters.');
  command
    .command('save')
    .description('Saves the state of a cluster to a file, or of all clusters to a directory, one after the other.')
    .argument('[cluster]', 'the cluster to save')
    .argument('[file]', 'where to; it must not exist')
    .option('--all <dir>', 'all clusters, as DIR/CLUSTER.backup')
    .option('--force', 'replace files that are there', false)
    .action(async (cluster: string | undefined, file: string | undefined, flags: SaveFlags) =>
      (await actions()).saveSnapshot(context, cluster, file, flags),
    );
  command
    .command('status')
    .description('Verifies a backup from its first byte to its last, and says what it holds.')
    .argument('<file>')
    .action(async (file: string) => (await actions()).showSnapshot(context, file));
  command
    .command('restore')
    .description('Writes the data directory of one node of a new cluster from a backup, while nothing runs there.')
    .argument('<file>')
    .requiredOption('--data-dir <dir>', 'of the node; new or empty')
    .requiredOption('--cluster-id <id>', 'of the new cluster; the same as in the backup')
    .requiredOption('--node-id <id>', 'of the node that will run there')
    .requiredOption('--peers <id=host:port,...>', 'all members of the new cluster, the same for each node', parsePeers)
    .option('--allow-other-cluster', 'restore under the name of another cluster', false)
    .action(async (file: string, flags: RestoreFlags) => (await actions()).restoreSnapshot(context, file, flags));
  return command;
}

function parsePeers(text: string): Record<string, string> {
  const pairs = text.split(',').map((part): [string, string] => {
    const at = part.indexOf('=');
    if (at < 1) throw new InvalidArgumentError(`"${part}" is no ID=HOST:PORT.`);
    return [part.slice(0, at).trim(), parseAddress(part.slice(at + 1).trim())];
  });
  if (new Set(pairs.map(([id]) => id)).size < pairs.length) throw new InvalidArgumentError('A member is named twice.');
  return Object.fromEntries(pairs);
}
