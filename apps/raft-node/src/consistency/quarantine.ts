import type { Log } from '@app/platform';
import type { NodeCondition } from '../condition/node-condition.js';
import { readMarker, writeMarker } from './quarantine-marker.js';

/**
 * Where a node is that cannot trust its state: it stores entries and votes, as the log is another matter, but answers no client and does not
 * lead. It lasts until the data directory is wiped, whatever restarts in between.
 */
export class Quarantine {
  private constructor(
    private readonly dataDir: string,
    private readonly condition: NodeCondition,
    private readonly log: Log,
  ) {}

  /** Raises the condition at once if an earlier process was in quarantine. */
  static async open(dataDir: string, condition: NodeCondition, log: Log): Promise<Quarantine> {
    const quarantine = new Quarantine(dataDir, condition, log);
    const detail = await readMarker(dataDir);
    if (detail !== undefined) {
      condition.raise('quarantined', detail);
      log.error({ reason: detail }, 'this node is still in quarantine');
    }
    return quarantine;
  }

  get isEntered(): boolean {
    return this.condition.has('quarantined');
  }

  /**
   * In force before it returns; durable when it resolves. If the disk takes no marker, a restart forgets it, and whoever found the reason has
   * to find it again. Never rejects. The first reason stands.
   */
  async enter(reason: string): Promise<void> {
    if (this.isEntered) return;
    const detail =
      `${reason}. This node is in quarantine and answers no client. Keep a copy of ${this.dataDir} and look for the cause (disk, memory, a ` +
      'defect of the program); then remove this node from its cluster, empty its directory with ' +
      `"raft-node --wipe --data-dir ${this.dataDir}", and let it join again`;
    this.condition.raise('quarantined', detail);
    this.log.error({ reason: detail }, 'this node is in quarantine');
    try {
      await writeMarker(this.dataDir, { detail, since: new Date().toISOString() });
    } catch (error) {
      this.log.error(
        { err: error },
        'the quarantine could not be written down: a restart forgets it until it is found again',
      );
    }
  }
}
