import { Injectable } from '@nestjs/common';
import type { LogIndex, NodeId } from '@app/raft';
import type { ErrorCode, OperationOutcome } from '@app/rpc';

/** Why an operation was not carried out here. Its outcome is the error table's unless this occurrence knows better. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly outcome?: OperationOutcome;
}

/** Ends a write, once: with the state machine's encoded answer and the place of its entry in the log, or with a refusal. */
export type WriteReply = (answer: Uint8Array | undefined, refusal: Refusal | undefined, index?: LogIndex) => void;

/** Ends a read, once: without a refusal the state machine may be read, now or later. */
export type ReadReply = (refusal: Refusal | undefined) => void;

interface OperationDeskReader {
  readonly isLeader: boolean;
  readonly leaderId: NodeId | undefined;
  readonly staleReadRefusal: Refusal | undefined;
  write(command: Uint8Array, deadlineMs: number, reply: WriteReply): void;
  read(deadlineMs: number, reply: ReadReply): void;
}

const NOT_STARTED: Refusal = { code: 'SHUTTING_DOWN', detail: 'the node is not running' };

/**
 * Where clients' operations wait for consensus. It stands between the key-value service, which knows nothing of Raft, and
 * the driver, its only reader.
 */
@Injectable()
export class OperationDesk {
  private reader: OperationDeskReader | undefined;
  /** Operations that another node was asked to carry out, and that have no answer yet: a node that stops waits for them as for its own. */
  passedOn = 0;

  readBy(reader: OperationDeskReader | undefined): void {
    this.reader = reader;
  }

  get isLeader(): boolean {
    return this.reader?.isLeader ?? false;
  }

  get leaderId(): NodeId | undefined {
    return this.reader?.leaderId;
  }

  /**
   * Why the state machine must not be read now, not even for what may be stale: its state is known to be wrong, or is being replaced. To be
   * asked right before every read, also of one that was confirmed earlier.
   */
  get staleReadRefusal(): Refusal | undefined {
    return this.reader === undefined ? NOT_STARTED : this.reader.staleReadRefusal;
  }

  /** Puts an encoded command, which the caller has checked, through the log. `deadlineMs` is a time of `performance.now()`, which no clock change moves. */
  write(command: Uint8Array, deadlineMs: number, reply: WriteReply): void {
    if (this.reader === undefined) reply(undefined, NOT_STARTED);
    else this.reader.write(command, deadlineMs, reply);
  }

  /** Asks for a moment at which the state machine reflects every write acknowledged before this call. */
  read(deadlineMs: number, reply: ReadReply): void {
    if (this.reader === undefined) reply(NOT_STARTED);
    else this.reader.read(deadlineMs, reply);
  }
}
