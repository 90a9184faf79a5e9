import { Injectable } from '@nestjs/common';
import {
  DecodeError,
  StateMachine,
  UnsupportedVersionError,
  checkLimits,
  decodeCommand,
  encodeAnswer,
  type GetQuery,
  type Request,
} from '@app/kv';
import {
  Consistency,
  failedResult,
  successResult,
  type LeaderHint,
  type Operation,
  type Respond,
  type Result,
} from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { LeaderForwarder } from './leader-forwarder.js';
import { OperationDesk, type Refusal } from './operation-desk.js';
import { OperationLog, type OperationEnd } from './operation-log.js';

/** What clients may ask of a node: checks it, puts it through consensus, or says who the leader is. */
@Injectable()
export class KeyValueService {
  constructor(
    private readonly config: RaftNodeConfig,
    private readonly directory: PeerDirectory,
    private readonly desk: OperationDesk,
    private readonly stateMachine: StateMachine,
    private readonly forwarder: LeaderForwarder,
    private readonly operations: OperationLog,
  ) {}

  /**
   * `respond` is called once, now or later. A read is made when its result is asked for: the later, the newer what it sees, so a
   * read that was linearizable stays so.
   */
  execute(operation: Operation, respond: Respond): void {
    const checked = this.check(operation.command);
    if ('refused' in checked) {
      respond(checked.refused);
      return;
    }
    const { request } = checked;
    const timeoutMs = operation.timeoutMs > 0 ? operation.timeoutMs : this.config.operationTimeoutMs;
    const deadlineMs = performance.now() + timeoutMs;
    if (request.kind !== 'get') {
      this.desk.write(operation.command, deadlineMs, (answer, refusal, index) => {
        if (operation.requestId) this.tell(operation, request, deadlineMs - timeoutMs, { index, code: refusal?.code });
        if (answer !== undefined) respond(this.trusted(answer));
        else this.refuse(operation, refusal ?? NO_ANSWER, deadlineMs, respond);
      });
    } else if (operation.consistency === Consistency.STALE) {
      respond(() => this.readNow(request));
    } else {
      this.desk.read(deadlineMs, (refusal) => {
        if (operation.requestId) {
          const seen = refusal === undefined ? { index: this.stateMachine.appliedIndex } : { code: refusal.code };
          this.tell(operation, request, deadlineMs - timeoutMs, seen);
        }
        if (refusal === undefined) respond(() => this.readNow(request));
        else this.refuse(operation, refusal, deadlineMs, respond);
      });
    }
  }

  private tell({ requestId }: Operation, { kind }: Request, startedMs: number, end: OperationEnd): void {
    if (requestId !== undefined) this.operations.ended(requestId, kind, startedMs, end);
  }

  /** An entry that is applied took effect on all members; what a state that is known to be wrong says of it is worth nothing. */
  private trusted(answer: Uint8Array): Result {
    const refusal = this.desk.staleReadRefusal;
    return refusal?.code === 'QUARANTINED' ? failedResult('OUTCOME_UNKNOWN', refusal.detail) : successResult(answer);
  }

  private readNow(query: GetQuery): Result {
    const refusal = this.desk.staleReadRefusal;
    if (refusal !== undefined) {
      return failedResult(refusal.code, refusal.detail, { outcome: refusal.outcome, leader: this.leaderHint() });
    }
    return successResult(encodeAnswer(this.stateMachine.read(query)));
  }

  private refuse(operation: Operation, refusal: Refusal, deadlineMs: number, respond: Respond): void {
    const leader = this.leaderHint();
    if (refusal.code === 'NOT_LEADER' && operation.forward && leader !== undefined) {
      this.forwarder.forward(operation, leader.address, deadlineMs, respond);
      return;
    }
    const { code, detail, outcome } = refusal;
    respond(failedResult(code, detail, { outcome, leader: code === 'NO_LEADER' ? undefined : leader }));
  }

  private leaderHint(): LeaderHint | undefined {
    const nodeId = this.desk.leaderId;
    if (nodeId === undefined || nodeId === this.directory.selfId) return undefined;
    const address = this.directory.addressOf(nodeId);
    return address === undefined ? undefined : { nodeId, address };
  }

  /** Nothing that fails here may reach the log: every replica would have to live with it. */
  private check(command: Uint8Array): { request: Request } | { refused: Result } {
    let request: Request;
    try {
      request = decodeCommand(command);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const code = error instanceof UnsupportedVersionError ? 'UNSUPPORTED' : 'INVALID_REQUEST';
      return { refused: failedResult(code, `${error.field}: ${error.reason}`) };
    }
    if (request.kind === 'expire') {
      return { refused: failedResult('INVALID_REQUEST', 'kind: expire is no command of clients') };
    }
    const excess = checkLimits(request, this.config);
    if (excess === undefined) return { request };
    const { code, limit, actual } = excess;
    const rule =
      code === 'KEY_EMPTY' ? 'the key must not be empty' : `at most ${limit} bytes are allowed, it has ${actual}`;
    return { refused: failedResult(code, `${code === 'VALUE_TOO_LARGE' ? 'value' : 'key'}: ${rule}`) };
  }
}

const NO_ANSWER: Refusal = { code: 'INTERNAL', detail: 'the state machine gave no answer' };
