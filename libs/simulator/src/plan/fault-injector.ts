import type { NodeId } from '@app/raft';
import type { Checks } from '../checks/checks.js';
import { UNITS_PER_TICK, type ObservedNode } from '../observer.js';
import {
  calmDisk,
  goodDisk,
  goodLink,
  goodProcess,
  type LinkBehaviour,
  type ProcessBehaviour,
  type WorldControl,
} from '../world-control.js';
import { LEADER, type Fault } from './fault.js';
import type { MembershipGuard } from './membership-guard.js';
import { Operators } from './operators.js';

/** How often someone looks for processes that have stopped and starts them again. */
const SUPERVISION_PERIOD = 7 * UNITS_PER_TICK;

/** A fault that has begun and not ended, with the node that it has met. */
interface Active {
  readonly fault: Fault;
  readonly node: NodeId | undefined;
  /** From which alone `node` is cut off. */
  readonly other?: NodeId | undefined;
}

/** Carries out a plan. Faults of one thing may overlap: what holds is made anew from all that are active whenever one begins or ends. */
export class FaultInjector {
  /** Of each kind, how many have taken effect. */
  readonly injected: Record<string, number> = {};
  private readonly active = new Set<Active>();
  private readonly operators: Operators;
  private isHealed = false;

  constructor(
    private readonly world: WorldControl,
    private readonly guard: MembershipGuard,
    private readonly checks: Pick<Checks, 'calls' | 'damagedLog' | 'askedToPromote'>,
    private readonly checkpointEntries: number,
  ) {
    this.operators = new Operators(
      world,
      checks.calls,
      guard,
      () => this.leader(),
      (id) => this.joined(id),
      (id) => checks.askedToPromote(id),
    );
  }

  schedule(faults: readonly Fault[]): void {
    for (const id of this.world.ids) this.renewNode(id);
    this.renewLinks();
    for (const fault of faults) this.world.at(fault.at, () => this.begin(fault));
    this.supervise();
  }

  /** All faults end, all processes that can start do so. What was sent meanwhile may still arrive. */
  heal(): void {
    this.isHealed = true;
    this.active.clear();
    for (const id of this.world.ids) this.renewNode(id);
    this.renewLinks();
    this.restartAll();
  }

  /** No fault of its own, its disk or its clock holds it back. */
  isWell(id: NodeId): boolean {
    for (const { fault, node } of this.active) {
      if (fault.kind === 'power_loss' || (node === id && !HARMLESS_KINDS.has(fault.kind))) return false;
    }
    return !this.guard.isLost(id) && this.world.node(id).state !== undefined;
  }

  isLinkGood(from: NodeId, to: NodeId): boolean {
    for (const active of this.active) if (isOfLink(active, from, to)) return false;
    return true;
  }

  /** Of the latest term. */
  leader(): NodeId | undefined {
    let best: ObservedNode | undefined;
    for (const id of this.world.ids) {
      const node = this.world.node(id);
      if (node.state?.role !== 'leader') continue;
      if (best?.state === undefined || node.state.currentTerm > best.state.currentTerm) best = node;
    }
    return best?.id;
  }

  /** A fault that forbids this node to lead: it cannot work, or cannot be heard. */
  isHelpless(id: NodeId): boolean {
    for (const { fault, node } of this.active) {
      if (node === id && HELPLESS_KINDS.has(fault.kind)) return true;
      if (fault.kind === 'cut' || fault.kind === 'loss') return true;
    }
    return false;
  }

  private joined(id: NodeId): void {
    this.renewNode(id);
    this.renewLinks();
  }

  private begin(fault: Fault): void {
    if (this.isHealed) return;
    const node = fault.node === undefined ? undefined : this.resolve(fault.node);
    if (fault.node !== undefined && node === undefined && fault.kind !== 'add' && fault.kind !== 'join') return;
    if (!this.strike(fault, node)) return;
    this.injected[fault.kind] = (this.injected[fault.kind] ?? 0) + 1;
    this.world.trace('fault', node ?? '', [fault.duration, fault.amount ?? 0], () => JSON.stringify(fault));
    if (fault.duration === 0) return;
    const other = fault.kind === 'isolate' && fault.other !== undefined ? this.resolve(fault.other) : undefined;
    const active = { fault, node, other };
    this.active.add(active);
    this.renew(active);
    this.world.at(this.world.now + fault.duration, () => this.end(active));
  }

  private end(active: Active): void {
    if (!this.active.delete(active)) return;
    this.world.trace('fault ends', active.node ?? '', [], () => active.fault.kind);
    this.renew(active);
    this.restartAll();
  }

  /** What happens in an instant. False if it makes no sense now. */
  private strike(fault: Fault, id: NodeId | undefined): boolean {
    const { world } = this;
    switch (fault.kind) {
      case 'reset':
        for (const [from, to] of fault.links ?? this.linksOf(id)) world.resetLink(from, to);
        return true;
      case 'crash':
        if (!world.node(id!).isUp) return false;
        world.crash(id!, { effects: fault.amount ?? 0, ...(fault.leaves && { powerLoss: fault.leaves }) });
        return true;
      case 'crash_loop':
        this.crashLoop(fault, id!);
        return true;
      case 'power_loss':
        for (const each of world.ids) world.crash(each, { effects: 0, powerLoss: fault.leaves ?? 'nothing' });
        return true;
      case 'wipe':
        if (!this.guard.mayLose(id!)) return false;
        this.guard.lose(id!);
        world.crash(id!, { effects: 0, powerLoss: fault.leaves ?? 'nothing' });
        world.wipe(id!);
        return true;
      case 'bit_flip':
        return this.flipBit(fault, id!);
      case 'quarantine':
        return this.mayQuarantine(id!);
      case 'read_error':
        world.setDisk(id!, { failNextRead: true });
        return true;
      case 'fsync_error':
        world.setDisk(id!, { failNextSync: true });
        return true;
      case 'checkpoint':
        world.checkpoint(id!);
        return true;
      case 'add':
      case 'promote':
      case 'remove':
      case 'replace':
      case 'transfer':
      case 'two_at_once':
      case 'join':
      case 'move':
        return this.operators.perform(fault, (node) => this.resolve(node));
      default:
        return true;
    }
  }

  private linksOf(id: NodeId | undefined): (readonly [NodeId, NodeId])[] {
    return this.world.ids.flatMap((other) => (id === undefined || other === id ? [] : pair(id, other)));
  }

  private flipBit(fault: Fault, id: NodeId): boolean {
    if (!this.guard.mayLose(id)) return false;
    this.world.crash(id, { effects: 0, powerLoss: fault.leaves ?? 'nothing' });
    if (!this.world.flipBit(id)) return false;
    this.guard.lose(id);
    this.checks.damagedLog(id);
    return true;
  }

  /** In no configuration that a node goes by may there be no majority of voters that may lead. */
  private mayQuarantine(id: NodeId): boolean {
    const barred = new Set([id]);
    for (const { fault, node } of this.active) if (fault.kind === 'quarantine') barred.add(node!);
    const isMinority = (voters: readonly NodeId[]): boolean =>
      voters.length === 0 || 2 * voters.filter((voter) => barred.has(voter)).length < voters.length;
    return this.world.ids.every((each) => {
      const configuration = this.world.node(each).state?.configuration;
      return configuration === undefined || [configuration.voters, configuration.outgoingVoters].every(isMinority);
    });
  }

  private crashLoop(fault: Fault, id: NodeId): void {
    const period = Math.max(1, fault.amount ?? UNITS_PER_TICK);
    const end = this.world.now + fault.duration;
    const turn = (): void => {
      if (this.isHealed || this.world.now >= end) return;
      if (this.world.node(id).isUp) {
        this.world.crash(id, { effects: this.world.now % 5, ...(fault.leaves && { powerLoss: fault.leaves }) });
      } else {
        this.world.restart(id);
      }
      this.world.at(this.world.now + period, turn);
    };
    turn();
  }

  private renew({ fault, node }: Active): void {
    if (fault.kind === 'power_loss') return;
    if (fault.kind === 'isolate') this.renewLinks();
    else if (node !== undefined) this.renewNode(node);
    else this.renewLinks();
  }

  private renewNode(id: NodeId): void {
    let disk = calmDisk;
    let process: ProcessBehaviour = { ...goodProcess, checkpointEntries: this.checkpointEntries };
    for (const { fault, node } of this.active) {
      if (node !== id) continue;
      const amount = fault.amount ?? 0;
      switch (fault.kind) {
        case 'pause':
          process = { ...process, isPaused: true };
          break;
        case 'slow':
          process = { ...process, lag: amount };
          break;
        case 'clock_rate':
        case 'clock_step':
          process = { ...process, clockRate: amount };
          break;
        case 'clock_freeze':
          process = { ...process, clockRate: 0 };
          break;
        case 'apply_stall':
          process = { ...process, isApplyStalled: true };
          break;
        case 'slow_snapshot':
          process = { ...process, snapshotDelay: amount };
          break;
        case 'checkpoints':
          process = { ...process, checkpointEntries: amount };
          break;
        case 'reluctant':
          process = { ...process, candidacy: process.candidacy === 'never' ? 'never' : 'reluctant' };
          break;
        case 'quarantine':
          process = { ...process, candidacy: 'never' };
          break;
        case 'disk_full':
          disk = { ...disk, isFull: true };
          break;
        case 'slow_disk':
          disk = { ...disk, delayMax: amount };
          break;
        case 'hung_disk':
          disk = { ...disk, isHung: true };
          break;
        case 'disk_reorder':
          disk = { ...disk, isReordering: true, delayMax: Math.max(disk.delayMax, 2 * UNITS_PER_TICK) };
          break;
        default:
      }
    }
    this.world.setDisk(id, this.isHealed ? goodDisk : disk);
    this.world.setProcess(id, process);
  }

  private renewLinks(): void {
    for (const from of this.world.ids) {
      for (const to of this.world.ids) if (from !== to) this.world.setLink(from, to, this.linkBehaviour(from, to));
    }
  }

  private linkBehaviour(from: NodeId, to: NodeId): LinkBehaviour {
    let link = goodLink;
    for (const active of this.active) {
      if (!isOfLink(active, from, to)) continue;
      const { fault } = active;
      const amount = fault.amount ?? 0;
      switch (fault.kind) {
        case 'loss':
        case 'duplicate':
        case 'replay':
        case 'garbage':
          link = { ...link, [fault.kind]: Math.max(link[fault.kind], amount) };
          break;
        case 'delay':
          link = { ...link, delayMin: Math.max(1, amount >> 1), delayMax: Math.max(link.delayMax, amount) };
          break;
        case 'reorder':
          link = { ...link, delayMax: Math.max(link.delayMax, amount) };
          break;
        case 'cut':
        case 'isolate':
          link = { ...link, isCut: true };
          break;
        default:
      }
    }
    return link;
  }

  private supervise(): void {
    this.restartAll();
    this.world.at(this.world.now + SUPERVISION_PERIOD, () => this.supervise());
  }

  /** Whoever is down and is not meant to be; a crash that has not come by the end of its fault does not come. */
  private restartAll(): void {
    const isDark = [...this.active].some(({ fault }) => fault.kind === 'power_loss');
    if (isDark) return;
    for (const id of this.world.ids) {
      if (!this.isMeantToBeDown(id)) this.world.restart(id);
    }
  }

  private isMeantToBeDown(id: NodeId): boolean {
    for (const { fault, node } of this.active) {
      if (node === id && ['crash', 'crash_loop', 'wipe', 'bit_flip'].includes(fault.kind)) return true;
    }
    return false;
  }

  private followers(): NodeId[] {
    const leader = this.leader();
    return this.world.ids.filter((id) => id !== leader && this.world.node(id).state?.isVoter === true);
  }

  private resolve(node: NodeId): NodeId | undefined {
    if (node === LEADER) return this.leader() ?? this.world.ids.find((id) => this.world.node(id).isUp);
    const [, n] = /^@follower(\d+)$/.exec(node) ?? [];
    if (n !== undefined) return this.followers()[Number(n) - 1];
    return this.world.ids.includes(node) ? node : undefined;
  }
}

const pair = (one: NodeId, other: NodeId): (readonly [NodeId, NodeId])[] => [
  [one, other],
  [other, one],
];

const HELPLESS_KINDS: ReadonlySet<string> = new Set([
  'hung_disk',
  'disk_full',
  'pause',
  'clock_freeze',
  'crash_loop',
  'isolate',
  'quarantine',
]);
/** Whoever meets these can still lead within the usual time. */
const HARMLESS_KINDS: ReadonlySet<string> = new Set(['checkpoints', 'reluctant']);
const LINK_KINDS: ReadonlySet<string> = new Set(['loss', 'delay', 'reorder', 'duplicate', 'replay', 'cut', 'garbage']);

function isOfLink({ fault: { kind, links }, node, other }: Active, from: NodeId, to: NodeId): boolean {
  if (kind === 'isolate') {
    const [isFrom, isTo] = [from === node, to === node];
    return (isFrom && (other ?? to) === to) || (isTo && (other ?? from) === from);
  }
  return LINK_KINDS.has(kind) && (links === undefined || links.some((link) => link[0] === from && link[1] === to));
}
