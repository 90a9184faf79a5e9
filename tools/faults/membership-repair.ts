import { setTimeout as delay } from 'node:timers/promises';
import type { LocalNode } from '../local-cluster/local-cluster.js';
import type { FaultSystem } from './fault-system.js';

const RETRY_AFTER_MS = 100;
const REPAIR_TIMEOUT_MS = 120_000;

/** Removes the node from its cluster, and gives up at the first refusal. False when nobody knows whether, or it was refused. */
export async function removeMember(system: FaultSystem, clusterId: string, node: LocalNode): Promise<boolean> {
  const leader = await system.leaderOf(clusterId);
  if (leader === undefined) return false;
  return system
    .door(leader)
    .removeNode(node.name)
    .then(
      () => true,
      () => false,
    );
}

/**
 * Makes every node of the cluster a voter again, whatever an earlier change has left half done: a node that is no member loses its data,
 * starts anew, is added as a learner, catches up and is promoted. Tries until it is done, for two minutes, or until the signal.
 */
export async function completeMembership(system: FaultSystem, clusterId: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + REPAIR_TIMEOUT_MS;
  /** Nodes that have started anew and were not seen as members since. */
  const fresh = new Set<LocalNode>();
  while (!signal?.aborted && performance.now() < deadline) {
    const isDone = await repairStep(system, clusterId, fresh).catch(() => false);
    if (isDone) return;
    await delay(RETRY_AFTER_MS);
  }
}

/** One step towards it; true when there is nothing left to do. Rejects with what the cluster refused. */
async function repairStep(system: FaultSystem, clusterId: string, fresh: Set<LocalNode>): Promise<boolean> {
  const leader = await system.leaderOf(clusterId);
  const status = leader && (await system.door(leader).status());
  if (leader === undefined || status === undefined) return false;
  const members = new Map(status.members.map((member) => [member.nodeId, member]));
  for (const node of system.nodesOf(clusterId)) {
    const member = members.get(node.name);
    if (member !== undefined && !member.isLearner) continue;
    if (member !== undefined) {
      fresh.delete(node);
      await system.door(leader).promoteNode(node.name);
      return false;
    }
    if (!fresh.has(node)) {
      await node.kill();
      system.wipe(node);
      fresh.add(node);
      system.start(node);
    }
    await system.door(leader).addNode(node.name);
    return false;
  }
  return true;
}
