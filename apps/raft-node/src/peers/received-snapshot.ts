import type { InstallSnapshot } from '@app/raft';
import type { StagedState } from '@app/storage';

/** A whole state that has arrived, durable beside the one in use, and the message that it came with. */
export interface ReceivedSnapshot {
  readonly message: InstallSnapshot;
  /** Of the sender's data directory. */
  readonly incarnation: string;
  readonly staged: StagedState;
  /**
   * The reader is done with it: `staged` is installed, or was not needed and is closed or discarded. Until then every other transfer to
   * this node is refused as busy.
   */
  readonly release: () => void;
}
