import type { Configuration, NodeId } from '@app/raft';

/** A naive count, on purpose another one than the core's. */
export function isQuorum(configuration: Configuration, claim: (id: NodeId) => boolean): boolean {
  const { voters, outgoingVoters } = configuration;
  return isMajority(voters, claim) && (outgoingVoters.length === 0 || isMajority(outgoingVoters, claim));
}

function isMajority(voters: readonly NodeId[], claim: (id: NodeId) => boolean): boolean {
  return 2 * voters.filter(claim).length > voters.length;
}

/** Whether every quorum of one shares a node with every quorum of the other: tried with every set of voters. */
export function doQuorumsMeet(a: Configuration, b: Configuration): boolean {
  const ids = [...new Set([...a.voters, ...a.outgoingVoters, ...b.voters, ...b.outgoingVoters])];
  for (let set = 0; set < 2 ** ids.length; set++) {
    const isIn = (id: NodeId) => ((set >> ids.indexOf(id)) & 1) === 1;
    if (isQuorum(a, isIn) && isQuorum(b, (id) => !isIn(id))) return false;
  }
  return true;
}
