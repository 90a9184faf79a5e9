import { membersOf, simpleConfiguration, type Configuration, type HardState } from '@app/raft';
import { Checks } from '../checks/checks.js';
import { SimulationFailure } from '../observer.js';
import { entryOf, FakeNode } from './fake-node.js';

/** The name of the check that ends what `act` does, or `nothing`. Other errors pass through. */
export function checkOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SimulationFailure) return error.check;
    throw error;
  }
  return 'nothing';
}

export interface FakeCluster {
  readonly checks: Checks;
  readonly nodes: FakeNode[];
  /** All have synced their vote for it. */
  readonly elect: (node: FakeNode, term: number) => void;
}

/** Nodes whose states a test writes, and the checks that watch them. */
export function fakeCluster(configuration: Configuration = simpleConfiguration(['a', 'b', 'c'])): FakeCluster {
  const checks = new Checks({ areLeasesSound: true });
  const nodes = membersOf(configuration).map((id) => new FakeNode(id, configuration));
  for (const node of nodes) checks.started(node);
  const elect = (leader: FakeNode, term: number): void => {
    for (const node of nodes)
      checks.synced(node, { hardState: hardState(term, leader.id), snapshot: undefined, entries: [] });
    leader.lead(term);
    checks.settled(leader);
  };
  return { checks, nodes, elect };
}

export const hardState = (currentTerm: number, votedFor?: string): HardState => ({
  currentTerm,
  votedFor,
  commitIndex: 0,
});

export const syncEntry = (checks: Checks, node: FakeNode, index: number, term: number): void =>
  checks.synced(node, { hardState: undefined, snapshot: undefined, entries: [entryOf(index, term)] });

/** Entry 1 of term 1 is on the leader a, synced on a and b, and not committed. */
function replicatedCluster(): FakeCluster {
  const given = fakeCluster();
  const [a, b] = given.nodes as [FakeNode, FakeNode];
  given.elect(a, 1);
  for (const node of [a, b]) {
    node.state.currentTerm = 1;
    node.state.append([entryOf(1, 1)]);
    syncEntry(given.checks, node, 1, 1);
  }
  given.checks.settled(a);
  return given;
}

/** Entry 1 of term 1 is committed: on the leader a, and synced on a and b. */
export function committedCluster(): FakeCluster {
  const given = replicatedCluster();
  const a = given.nodes[0]!;
  a.state.commitIndex = 1;
  given.checks.settled(a);
  return given;
}

/** Entry 1 of term 1 is synced on a and b, and a has lost its leadership before it was committed. */
export function deposedCluster(): FakeCluster {
  const given = replicatedCluster();
  const a = given.nodes[0]!;
  a.state.role = 'follower';
  given.checks.settled(a);
  return given;
}
