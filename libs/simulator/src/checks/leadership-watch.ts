import { isJoint, type Configuration, type LogIndex, type NodeId } from '@app/raft';
import type { ObservedNode, SimTime } from '../observer.js';
import type { WorldControl } from '../world-control.js';
import type { CommittedLog } from './committed-log.js';
import { fail } from './fail.js';

/** What the watch needs to know of the faults that are active. */
export interface Wellness {
  isWell(id: NodeId): boolean;
  isLinkGood(from: NodeId, to: NodeId): boolean;
  isHelpless(id: NodeId): boolean;
  leader(): NodeId | undefined;
}

/** Election timeouts of undisturbed health after which someone must lead; a hung disk is given ten of them by the core. */
const TIMEOUTS_MAX = 30;

/**
 * While a majority of the voters is well, and its links are, someone able must lead within so many election timeouts, whatever happens to the
 * others. Only where all nodes have pre-vote and check-quorum: without them the others may disturb for ever.
 */
export class LeadershipWatch {
  private majority: ReadonlySet<NodeId> = new Set();
  private configurationIndex: LogIndex = -1;
  private since: SimTime = 0;
  private committedThen: LogIndex = 0;

  constructor(
    private readonly world: WorldControl,
    private readonly wellness: Wellness,
    private readonly committed: CommittedLog,
    private readonly electionTimeout: SimTime,
  ) {}

  /** Looks once per election timeout from now on. */
  start(until: SimTime): void {
    const { world, electionTimeout } = this;
    if (world.now + electionTimeout >= until) return;
    world.at(world.now + electionTimeout, () => {
      this.look();
      this.start(until);
    });
  }

  private look(): void {
    const { world } = this;
    const known = this.settledConfiguration();
    const well = known === undefined ? [] : this.wellConnected(known.configuration.voters);
    const still = well.filter((id) => this.majority.has(id));
    const voters = known?.configuration.voters.length ?? 0;
    const isLasting = known?.index === this.configurationIndex && 2 * still.length > voters;
    if (!isLasting || this.committed.lastIndex > this.committedThen || this.isLed(well)) {
      this.majority = new Set(2 * well.length > voters ? well : []);
      this.configurationIndex = known?.index ?? -1;
      this.since = world.now;
      this.committedThen = this.committed.lastIndex;
      return;
    }
    this.majority = new Set(still);
    if (world.now - this.since > TIMEOUTS_MAX * this.electionTimeout) {
      fail('leadership_moves', `${still.join()} have been well since ${this.since}, and nobody able leads`);
    }
  }

  private isLed(well: readonly NodeId[]): boolean {
    const leader = this.wellness.leader();
    return leader !== undefined && (well.includes(leader) || !this.wellness.isHelpless(leader));
  }

  /** The one that is committed and in force on the node that has committed most; undefined while it changes. */
  private settledConfiguration(): { readonly index: LogIndex; readonly configuration: Configuration } | undefined {
    let most: ObservedNode | undefined;
    for (const id of this.world.ids) {
      const node = this.world.node(id);
      if (node.state === undefined) continue;
      if (most?.state === undefined || node.state.commitIndex > most.state.commitIndex) most = node;
    }
    if (most?.state === undefined) return undefined;
    const { configurations, configuration, commitIndex } = most.state;
    if (configurations.currentIndex > commitIndex || isJoint(configuration)) return undefined;
    return { index: configurations.currentIndex, configuration };
  }

  /** Voters that are well and reach each other; a greedy choice, which may miss the largest. */
  private wellConnected(voters: readonly NodeId[]): NodeId[] {
    const chosen: NodeId[] = [];
    for (const id of voters) {
      if (!this.world.ids.includes(id) || !this.wellness.isWell(id)) continue;
      const reachesAll = chosen.every(
        (other) => this.wellness.isLinkGood(id, other) && this.wellness.isLinkGood(other, id),
      );
      if (reachesAll) chosen.push(id);
    }
    return chosen;
  }
}
