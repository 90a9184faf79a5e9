import type { SessionStamp } from '@app/kv';

/** One request on its way, for the log: who it is, and where it went last. Filled in as it goes. */
export class RequestTrace {
  cluster: string | undefined;
  node: string | undefined;
  /** How often it was sent to a node. */
  attempts = 0;
  /** Of a write: what its entry in the log of the cluster is known by. */
  session: SessionStamp | undefined;
  /** Of the error that it was answered with. */
  code: string | undefined;

  constructor(
    readonly requestId: string,
    /** Whether nodes are told the id with the first attempt already. */
    readonly isFollowed: boolean,
  ) {}

  /** The id, if this attempt carries it. One that is repeated is in trouble, and wanted in the logs of the nodes. */
  sentTo(node: string): string | undefined {
    this.node = node;
    this.attempts += 1;
    return this.isFollowed || this.attempts > 1 ? this.requestId : undefined;
  }
}
