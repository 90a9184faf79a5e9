import { Injectable } from '@nestjs/common';
import { decodeAnswer, encodeCommand, type Answer, type Condition, type Request } from '@app/kv';
import {
  Consistency,
  RingraftError,
  errorOfResult,
  isErrorCode,
  type Condition as WireCondition,
  type DeleteRequest,
  type DeleteResponse,
  type EventualResult,
  type GetRequest,
  type GetResponse,
  type OpenSessionRequest,
  type OpenSessionResponse,
  type SetRequest,
  type SetResponse,
} from '@app/rpc';
import { KeyValueService } from './key-value.service.js';

type Failure = Extract<Answer, { kind: 'failure' }>;

/** The unary calls of kv.v1.KeyValue, for ordinary gRPC clients, as operations like any other. */
@Injectable()
export class UnaryOperations {
  constructor(private readonly service: KeyValueService) {}

  async openSession({ forward }: OpenSessionRequest): Promise<OpenSessionResponse> {
    const { clientId } = await this.run({ kind: 'openSession' }, Consistency.LINEARIZABLE, forward, 'openSession');
    return { clientId };
  }

  async get({ key, consistency, forward }: GetRequest): Promise<GetResponse> {
    const answer = await this.run({ kind: 'get', key }, consistency, forward, 'get');
    const record = answer.found ? answer.record : undefined;
    return {
      found: answer.found,
      value: record?.value ?? new Uint8Array(0),
      contentType: record?.contentType ?? '',
      revision: record?.revision ?? 0,
    };
  }

  async set(request: SetRequest): Promise<SetResponse> {
    const { key, value, contentType, ttlMs, session, forward } = request;
    const condition = toCondition(request.condition);
    const command = { kind: 'set', key, value, contentType, ttlMs, condition, session } as const;
    const { created, revision } = await this.run(command, Consistency.LINEARIZABLE, forward, 'set');
    return { created, revision };
  }

  async delete(request: DeleteRequest): Promise<DeleteResponse> {
    const { key, session, forward } = request;
    const condition = toCondition(request.condition);
    const command = { kind: 'delete', key, condition, session } as const;
    const { deleted, revision } = await this.run(command, Consistency.LINEARIZABLE, forward, 'delete');
    return { deleted, revision };
  }

  private async run<K extends Answer['kind']>(
    request: Request,
    consistency: Consistency,
    forward: boolean,
    kind: K,
  ): Promise<Extract<Answer, { kind: K }>> {
    const command = encode(request);
    const operation = { id: 0, command, forward, timeoutMs: 0, consistency };
    const answered = await new Promise<EventualResult>((resolve) => this.service.execute(operation, resolve));
    const result = typeof answered === 'function' ? answered() : answered;
    if (result.code !== '') throw errorOfResult(result);
    const answer = decodeAnswer(result.answer);
    if (answer.kind === 'failure') throw errorOfFailure(answer);
    if (answer.kind !== kind) throw new RingraftError('INTERNAL', `a ${kind} was answered with a ${answer.kind}`);
    return answer as Extract<Answer, { kind: K }>;
  }
}

function encode(request: Request): Uint8Array {
  try {
    return encodeCommand(request);
  } catch (error) {
    if (error instanceof RangeError) throw new RingraftError('INVALID_REQUEST', error.message);
    throw error;
  }
}

function errorOfFailure(failure: Failure): RingraftError {
  if (failure.code === 'PRECONDITION_FAILED') {
    return new RingraftError(failure.code, 'the condition does not hold', { revision: String(failure.revision) });
  }
  if (isErrorCode(failure.code)) return new RingraftError(failure.code, 'refused by the state machine');
  return new RingraftError('INVALID_REQUEST', `refused by the state machine: ${failure.code}`);
}

function toCondition(wire: WireCondition | undefined): Condition | undefined {
  switch (wire?.kind?.$case) {
    case undefined:
      return undefined;
    case 'ifRevision':
      return { kind: 'ifRevision', revision: wire.kind.value };
    case 'ifAbsent':
      return wire.kind.value ? { kind: 'ifAbsent' } : undefined;
    case 'ifPresent':
      return wire.kind.value ? { kind: 'ifPresent' } : undefined;
  }
}
