import { Injectable } from '@nestjs/common';
import type { PlacedNode } from '@app/placement';
import { Role, type Member, type StatusResponse } from '@app/rpc';
import { CurrentPlacement } from '../hashing/current-placement.js';

/** After so long without a word of it, what was learned gives way to any leader, also to one of an earlier term: of a cluster restored from a backup. */
const CONFIRMED_FOR_MS = 10_000;

interface View {
  readonly members: readonly PlacedNode[];
  /** Without learners, which may know nothing yet. */
  readonly voters: readonly PlacedNode[];
  /** Of the node that told. */
  readonly term: number;
  /** The entry that set this configuration. */
  readonly index: number;
}

/**
 * The members of each cluster, as its nodes tell them. The configuration of this gateway names some of them to begin with, the seeds; what a
 * node of the cluster tells takes their place. Of two answers the one of the later term counts if a leader gave it, else that of the later
 * configuration. A view is replaced whole, so a reader may keep it.
 */
@Injectable()
export class ClusterMembers {
  private readonly seeds: ReadonlyMap<string, readonly PlacedNode[]>;
  private readonly views = new Map<string, View>();
  private readonly confirmedAtMs = new Map<string, number>();
  /** By address, what was found there instead of a node of the cluster. */
  private readonly foreign = new Map<string, string>();

  constructor(placement: CurrentPlacement) {
    this.seeds = new Map(placement.clusters.map(({ id, nodes }) => [id, nodes]));
  }

  /** All members, learners too; the seeds until one was told. */
  of(clusterId: string): readonly PlacedNode[] {
    return this.views.get(clusterId)?.members ?? this.seedsOf(clusterId);
  }

  /** Those that can answer operations. Not empty. */
  votersOf(clusterId: string): readonly PlacedNode[] {
    return this.views.get(clusterId)?.voters ?? this.seedsOf(clusterId);
  }

  seedsOf(clusterId: string): readonly PlacedNode[] {
    return this.seeds.get(clusterId) ?? [];
  }

  /** Who was named as the leader, at the address that was told with it or, without one, at that of the member. */
  named(clusterId: string, nodeId: string, address: string): PlacedNode | undefined {
    if (nodeId === '') return undefined;
    return address === '' ? this.of(clusterId).find(({ id }) => id === nodeId) : { id: nodeId, address };
  }

  /** Where members of any cluster are. */
  get addresses(): string[] {
    return [...this.seeds.keys()].flatMap((clusterId) => this.of(clusterId).map(({ address }) => address));
  }

  /** A line for each address that was to lead to a cluster and leads to another. */
  get foreignNodes(): string[] {
    return [...this.foreign.values()];
  }

  /** Takes what the node at the address says. Undefined, or why it is not what was looked for. */
  heard(clusterId: string, address: string, status: StatusResponse, nowMs = performance.now()): string | undefined {
    if (status.clusterId !== clusterId) {
      const found = `at ${address} is node ${status.nodeId} of cluster ${status.clusterId}, not one of ${clusterId}`;
      this.foreign.set(`${clusterId} ${address}`, found);
      return found;
    }
    this.foreign.delete(`${clusterId} ${address}`);
    // Who is no member knows nothing, or what was once.
    if (status.members.length === 0 || status.expulsion !== '') return undefined;
    const told = this.viewOf(clusterId, status);
    if (told.voters.length > 0 && this.isNews(clusterId, status, nowMs)) {
      if (!areSame(this.views.get(clusterId), told)) this.views.set(clusterId, told);
      this.confirmedAtMs.set(clusterId, nowMs);
    }
    return undefined;
  }

  private isNews(clusterId: string, { role, term, configurationIndex }: StatusResponse, nowMs: number): boolean {
    const view = this.views.get(clusterId);
    if (view === undefined) return true;
    if (role === Role.LEADER) {
      // An entry of an earlier leader may have been given up: only within a term the index says what is newer.
      const isConfirmed = nowMs - (this.confirmedAtMs.get(clusterId) ?? -Infinity) < CONFIRMED_FOR_MS;
      return term > view.term || (term === view.term && configurationIndex >= view.index) || !isConfirmed;
    }
    return term >= view.term && configurationIndex > view.index;
  }

  private viewOf(clusterId: string, { members, term, configurationIndex }: StatusResponse): View {
    const known = this.of(clusterId);
    const placed = members
      .map((member) => ({ member, node: placeOf(member, known) }))
      .filter((each): each is { member: Member; node: PlacedNode } => each.node !== undefined);
    return {
      members: placed.map(({ node }) => node),
      voters: placed.filter(({ member }) => !member.isLearner).map(({ node }) => node),
      term,
      index: configurationIndex,
    };
  }
}

/** A node that was not told the address of another leaves it empty. */
function placeOf({ nodeId, address }: Member, known: readonly PlacedNode[]): PlacedNode | undefined {
  return (
    known.find(({ id, address: at }) => id === nodeId && (address === '' || address === at)) ?? placed(nodeId, address)
  );
}

function placed(id: string, address: string): PlacedNode | undefined {
  return address === '' ? undefined : { id, address };
}

function areSame(a: View | undefined, b: View): boolean {
  return a !== undefined && a.term === b.term && a.index === b.index && haveSame(a.members, b.members);
}

/** Whether both name the same nodes at the same places, in the same order. */
export function haveSame(a: readonly PlacedNode[], b: readonly PlacedNode[]): boolean {
  return a.length === b.length && a.every((node, i) => node.id === b[i]!.id && node.address === b[i]!.address);
}
