import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { decodeExpiryRow, encodeCommand, expiryRange, type KeySpace, type Row } from '@app/kv';
import { LOG, type Log } from '@app/platform';
import { RaftNodeConfig } from '../raft-node.config.js';
import { KEY_SPACE } from '../storage/storage.module.js';
import { OperationDesk } from './operation-desk.js';
import { scan } from './state-machine.provider.js';

/** Keys that one sweep removes at most, and their bytes, so that a mass expiry does not hold up clients and fits into an entry. */
const KEYS_MAX = 1_000;
const BYTES_MAX = 1024 * 1024;
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
    const { from, to } = expiryRange(Date.now());
    const rows = await scan(this.keySpace, from, to, KEYS_MAX);
    if (rows.length === 0) return;
    const command = encodeCommand({ kind: 'expire', keys: keysOf(rows) });
    const deadlineMs = performance.now() + this.config.operationTimeoutMs;
    // Refused or lost, the keys are still there for the next sweep.
    await new Promise<void>((resolve) => this.desk.write(command, deadlineMs, () => resolve()));
  }
}

/** At least one, then as many as fit. */
function keysOf(rows: readonly Row[]): Uint8Array[] {
  const keys: Uint8Array[] = [];
  let bytes = 0;
  for (const row of rows) {
    const { key } = decodeExpiryRow(row);
    bytes += key.length;
    if (keys.length > 0 && bytes > BYTES_MAX) break;
    keys.push(key);
  }
  return keys;
}
