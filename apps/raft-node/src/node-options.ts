import type { Disk, StateStoreOptions } from '@app/storage';

export const NODE_OPTIONS = Symbol('NodeOptions');

/** What a process that starts a node may replace: for tests of a real node on a disk that fails. */
export interface NodeOptions {
  /** Gives the disk that the log is kept on, over the one of the data directory. */
  readonly wrapDisk?: (disk: Disk) => Disk;
  /** Sizes and delays of the state database. */
  readonly stateOptions?: Omit<StateStoreOptions, 'onFailure' | 'onSynced' | 'onFull'>;
}
