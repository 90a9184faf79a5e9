import type { ExpulsionReason } from '@app/raft';

/** What it means for a node, and what its operator can do about it. */
export function expulsionAdvice(reason: ExpulsionReason): string {
  switch (reason) {
    case 'removed':
      return (
        'this node was removed from its cluster and takes no part in it any more: stop it. To take it in again, remove its data with ' +
        '"raft-node --wipe", start it with "--join", and add it on the leader'
      );
    case 'other_incarnation':
      return (
        'the cluster knows a node of this name with another data directory: this one has lost what that one had promised, and is refused. ' +
        'Bring back the former data directory; or remove the node from the cluster on the leader, start it with an empty directory and ' +
        '"--join", and add it again'
      );
  }
}
