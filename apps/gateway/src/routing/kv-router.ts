import { Injectable } from '@nestjs/common';
import {
  encodeCommand,
  type Answer,
  type DeleteAnswer,
  type DeleteCommand,
  type FailureAnswer,
  type GetAnswer,
  type IncrementAnswer,
  type IncrementCommand,
  type SetAnswer,
  type SetCommand,
} from '@app/kv';
import type { Location } from '@app/placement';
import { Consistency, RingraftError } from '@app/rpc';
import { GatewayConfig } from '../gateway.config.js';
import { CurrentPlacement } from '../hashing/current-placement.js';
import { ClusterCaller } from './cluster-caller.js';
import type { RequestTrace } from './request-trace.js';
import { WriteSessions } from './write-sessions.js';

type Write = SetCommand | DeleteCommand | IncrementCommand;

/**
 * The whole way of an operation on a key: slot, cluster, leader, answer. Each write carries a session, so that it is
 * applied once however often it is sent.
 *
 * Rejects with a `RingraftError` only. Its outcome is honest: `not_applied` when no attempt was or will be applied,
 * `unknown` when one may have been.
 */
@Injectable()
export class KvRouter {
  constructor(
    private readonly config: GatewayConfig,
    private readonly placement: CurrentPlacement,
    private readonly caller: ClusterCaller,
    private readonly sessions: WriteSessions,
  ) {}

  locate(key: Uint8Array): Location {
    return this.placement.locate(key);
  }

  async get(
    location: Location,
    key: Uint8Array,
    consistency = Consistency.LINEARIZABLE,
    trace?: RequestTrace,
  ): Promise<GetAnswer> {
    if (trace !== undefined) trace.cluster = location.cluster.id;
    const { answer } = await this.caller.call({
      cluster: location.cluster,
      command: encodeCommand({ kind: 'get', key }),
      changesState: false,
      consistency,
      deadlineMs: this.deadline(),
      trace,
    });
    return expectKind(answer, 'get');
  }

  async set(location: Location, command: SetCommand, trace?: RequestTrace): Promise<SetAnswer> {
    return expectKind(await this.write(location, command, trace), 'set');
  }

  async delete(location: Location, command: DeleteCommand, trace?: RequestTrace): Promise<DeleteAnswer> {
    return expectKind(await this.write(location, command, trace), 'delete');
  }

  async increment(location: Location, command: IncrementCommand, trace?: RequestTrace): Promise<IncrementAnswer> {
    return expectKind(await this.write(location, command, trace), 'increment');
  }

  private async write({ cluster }: Location, command: Write, trace?: RequestTrace): Promise<Answer> {
    if (trace !== undefined) trace.cluster = cluster.id;
    const deadlineMs = this.deadline();
    for (;;) {
      const session = await this.sessions.of(cluster, deadlineMs);
      const stamp = session.begin();
      if (trace !== undefined) trace.session = stamp;
      try {
        const { answer, isUncertain } = await this.caller.call({
          cluster,
          command: encodeCommand({ ...command, session: stamp }),
          changesState: true,
          deadlineMs,
          trace,
        });
        if (answer.kind !== 'failure') return answer;
        switch (answer.code) {
          case 'SESSION_EXPIRED':
          case 'SESSION_FULL':
            session.retire();
            if (isUncertain) throw unknown(cluster.id, answer.code);
            if (performance.now() >= deadlineMs) throw errorOfFailure(answer);
            // Not applied, and never will be under this stamp: it may be sent under another.
            break;
          case 'SEQUENCE_FORGOTTEN':
            throw unknown(cluster.id, answer.code);
          default:
            // The first attempt's answer, however often it was repeated.
            throw errorOfFailure(answer);
        }
      } finally {
        session.end(stamp);
      }
    }
  }

  private deadline(): number {
    return performance.now() + this.config.requestTimeoutMs;
  }
}

function expectKind<K extends Answer['kind']>(answer: Answer, kind: K): Extract<Answer, { kind: K }> {
  if (answer.kind === kind) return answer as Extract<Answer, { kind: K }>;
  if (answer.kind === 'failure') throw errorOfFailure(answer);
  throw new RingraftError('INTERNAL', `asked for ${kind} and was answered ${answer.kind}`);
}

function unknown(clusterId: string, code: string): RingraftError {
  return new RingraftError(
    'OUTCOME_UNKNOWN',
    `an earlier attempt may have been applied by cluster ${clusterId}, which can no longer tell (${code})`,
  );
}

function errorOfFailure(failure: FailureAnswer): RingraftError {
  switch (failure.code) {
    case 'PRECONDITION_FAILED':
      return new RingraftError(
        'PRECONDITION_FAILED',
        failure.revision === 0 ? 'the key does not exist' : `the key is at revision ${failure.revision}`,
        { revision: String(failure.revision) },
      );
    case 'INVALID_COMMAND':
      return new RingraftError('INVALID_REQUEST', `${failure.field}: ${failure.reason}`, {
        errors: [{ field: failure.field, message: failure.reason }],
      });
    case 'NOT_AN_INTEGER':
      return new RingraftError('NOT_AN_INTEGER', 'the value is not the decimal text of a signed 64-bit integer');
    case 'OVERFLOW':
      return new RingraftError('OVERFLOW', 'the sum would not fit a signed 64-bit integer');
    default:
      return new RingraftError(failure.code, 'refused by the state machine');
  }
}
