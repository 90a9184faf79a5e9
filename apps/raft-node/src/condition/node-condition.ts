import { Injectable } from '@nestjs/common';
import type { Candidacy } from '@app/raft';
import type { Refusal } from '../fsm/operation-desk.js';
import { freesSpace } from './frees-space.js';

/** What can be wrong with a node that runs. Several may be at once. */
export type Trouble =
  /** There is no room on the disk for more: what frees space is still taken. */
  | 'storage_full'
  /** There is not even room for what frees space. Beside `storage_full`. */
  | 'storage_exhausted'
  /** The disk takes longer than a leader may wait for it. */
  | 'disk_slow'
  /** The state differs from that of the other members. It lasts until the data directory is wiped. */
  | 'quarantined'
  /** The process was asked to end. */
  | 'stopping';

/**
 * What this node thinks of itself. Monitors say what they see; the driver acts on it: it refuses what the node cannot do, and sees to it
 * that another member leads.
 */
@Injectable()
export class NodeCondition {
  private readonly troubles = new Map<Trouble, string>();
  private readonly listeners: (() => void)[] = [];
  private isDoubted = false;

  /** `detail` is a sentence for people. Raised again, only the sentence changes. */
  raise(trouble: Trouble, detail: string): void {
    const isNew = !this.troubles.has(trouble);
    this.troubles.set(trouble, detail);
    if (isNew) this.notify();
  }

  clear(trouble: Trouble): void {
    if (this.troubles.delete(trouble)) this.notify();
  }

  has(trouble: Trouble): boolean {
    return this.troubles.has(trouble);
  }

  /** Undefined while all is well. */
  detailOf(trouble: Trouble): string | undefined {
    return this.troubles.get(trouble);
  }

  /** While members differ and nobody can tell whether this one is right. */
  doubtState(isInDoubt: boolean): void {
    if (this.isDoubted === isInDoubt) return;
    this.isDoubted = isInDoubt;
    this.notify();
  }

  /** The state of this node must not become that of another member: a wrong one would win the next vote on which is right. */
  get isStateInDoubt(): boolean {
    return this.isDoubted || this.troubles.has('quarantined');
  }

  /** Called after each change of what is wrong, or in doubt. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  get candidacy(): Candidacy {
    if (this.troubles.has('quarantined')) return 'never';
    return this.troubles.size > 0 ? 'reluctant' : 'ready';
  }

  /** Why a command (in the encoding of libs/kv) is not proposed. The expiry sweeper's are asked about too. */
  writeRefusal(command: Uint8Array): Refusal | undefined {
    const full = this.troubles.get('storage_full');
    if (full !== undefined && (this.troubles.has('storage_exhausted') || !freesSpace(command))) {
      return { code: 'STORAGE_FULL', detail: full };
    }
    return this.readRefusal();
  }

  /** Why nothing is read here, not even what may be stale. */
  readRefusal(): Refusal | undefined {
    const quarantined = this.troubles.get('quarantined');
    return quarantined === undefined ? undefined : { code: 'QUARANTINED', detail: quarantined };
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }
}
