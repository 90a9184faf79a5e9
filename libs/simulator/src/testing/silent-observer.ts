import type { SimObserver } from '../observer.js';

const nothing = (): void => undefined;

/** Watches and says nothing; a test overrides what it wants to see. */
export const silentObserver: SimObserver = {
  sent: nothing,
  received: nothing,
  synced: nothing,
  persistReported: nothing,
  applied: nothing,
  snapshotInstalled: nothing,
  checkpointed: nothing,
  compacted: nothing,
  readRequested: nothing,
  readConfirmed: nothing,
  readRejected: nothing,
  crashed: nothing,
  started: nothing,
  wiped: nothing,
  settled: nothing,
};
