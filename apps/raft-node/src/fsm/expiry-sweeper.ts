import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { decodeExpiryRow, encodeCommand, expiryRange, type KeySpace } from '@app/kv';
import { LOG, type Log } from '@app/platform';
import { RaftNodeConfig } from '../raft-node.config.js';
import { KEY_SPACE } from '../storage/storage.module.js';
import { OperationDesk } from './operation-desk.js';
import { scan } from './state-machine.provider.js';

/** Keys that one sweep removes at most, so that a mass expiry does not hold up clients. */
const KEYS_MAX = 1_000;
const SWEEP_INTERVAL_MS = 250;

/**
 * On the leader, proposes the removal of keys whose time has come. The entry carries the log time that decides: replicas
 * agree, and a key that was seen as expired never comes back to life.
 */
@Injectable()
export class ExpirySweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly desk: OperationDesk,
    @Inject(KEY_SPACE) private readonly keySpace: KeySpace,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.scheduleSweep();
  }

  beforeApplicationShutdown(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private scheduleSweep(): void {
    this.timer = setTimeout(() => {
      this.sweep()
        .catch((error: unknown) => this.log.error({ err: error }, 'expiry sweep failed'))
        .finally(() => {
          if (this.timer !== undefined) this.scheduleSweep();
        });
    }, SWEEP_INTERVAL_MS);
  }

  private async sweep(): Promise<void> {
    if (!this.desk.isLeader) return;
    const nowMs = Date.now();
    const { from, to } = expiryRange(nowMs);
    const rows = await scan(this.keySpace, from, to, KEYS_MAX);
    if (rows.length === 0) return;
    const command = encodeCommand({ kind: 'expire', keys: rows.map((row) => decodeExpiryRow(row).key) });
    // Refused or lost, the keys are still there for the next sweep.
    await new Promise<void>((resolve) =>
      this.desk.write(command, nowMs + this.config.operationTimeoutMs, () => resolve()),
    );
  }
}
