import { Injectable } from '@nestjs/common';

type SyncedListener = (appliedIndex: number) => void;

/** Carries what the state database reports on its own to the driver, which is made later. */
@Injectable()
export class StateEvents {
  private listener: SyncedListener | undefined;

  /** Everything up to here is durable. */
  synced(appliedIndex: number): void {
    this.listener?.(appliedIndex);
  }

  /** The driver is the only listener; what was durable before it listens it asks the database for. */
  onSynced(listener: SyncedListener | undefined): void {
    this.listener = listener;
  }
}
