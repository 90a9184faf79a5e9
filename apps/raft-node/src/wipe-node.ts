import { promised, wipeDirectory, type WipeSummary } from '@app/storage';
import { RaftNodeConfig } from './raft-node.config.js';

/**
 * Carries out `--wipe`: removes what this node keeps, and says what has to follow. Resolves with the exit code: 1, with the reason on
 * stderr, when a node runs there or something could not be removed.
 */
export async function wipeNode({ clusterId, nodeId, dataDir }: RaftNodeConfig): Promise<0 | 1> {
  let summary: WipeSummary;
  try {
    summary = await promised<WipeSummary>((done) => wipeDirectory(dataDir, done));
  } catch (error) {
    process.stderr.write(`raft-node: ${dataDir} was not wiped: ${(error as Error).message}\n`);
    return 1;
  }
  const { removedFiles, kept } = summary;
  if (removedFiles === 0) process.stdout.write(`There was nothing of a node in ${dataDir}.\n`);
  else process.stdout.write(`Removed log and state of ${nodeId} from ${dataDir} (${removedFiles} files).\n`);
  for (const path of kept) process.stdout.write(`Kept, for no node wrote it: ${path}\n`);
  process.stdout.write(
    `Cluster ${clusterId} takes the former ${nodeId} for a member still. On its leader:\n` +
      `  1. remove ${nodeId} (admin.v1.Membership/RemoveNode);\n` +
      `  2. start ${nodeId} with --join;\n` +
      `  3. add it (AddNode), and promote it once it has caught up (PromoteNode).\n`,
  );
  return 0;
}
