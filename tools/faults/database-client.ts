import type { HistoryEvent } from '@app/simulator';
import type { Chance } from './chance.js';
import type { Completion, HistoryRecorder } from './history-recorder.js';
import type { HttpAnswer, HttpCaller } from './http-caller.js';

/** At most one; in the words of histories. */
export interface Condition {
  readonly ifRevision?: number;
  readonly ifAbsent?: true;
}

/** A key and the cluster that holds it. */
export interface PlacedKey {
  readonly key: string;
  readonly clusterId: string;
}

type Value = HistoryEvent['value'];

/**
 * One client, that waits for one answer at a time, each time through a gateway that chance picks. It records everything as
 * operations of the model `record`. No method rejects.
 */
export class DatabaseClient {
  constructor(
    readonly process: number,
    private readonly gateways: readonly HttpCaller[],
    private readonly recorder: HistoryRecorder,
    readonly chance: Chance,
  ) {}

  read(target: PlacedKey): Promise<Completion> {
    return this.operate(target, 'read', null, 'GET', {}, undefined, ({ status, headers, text }) =>
      status === 404 ? null : { value: text, revision: revisionOf(headers.etag) },
    );
  }

  /** `ttlMs`, if given, is recorded beside the value, which no model of histories knows. */
  write(target: PlacedKey, value: string, condition: Condition = {}, ttlMs?: number): Promise<Completion> {
    const argument = { value, ...condition, ...(ttlMs !== undefined && { ttlMs }) };
    const query = ttlMs === undefined ? '' : `?ttl=${ttlMs}ms`;
    const headers = { 'content-type': 'text/plain', ...headersOf(condition) };
    return this.operate(target, 'write', argument, `PUT${query}`, headers, value, ({ status, headers: answered }) => ({
      revision: revisionOf(answered.etag),
      created: status === 201,
    }));
  }

  delete(target: PlacedKey, condition: Condition = {}): Promise<Completion> {
    return this.operate(target, 'delete', { ...condition }, 'DELETE', headersOf(condition), undefined, () => ({}));
  }

  increment(target: PlacedKey, delta: number): Promise<Completion> {
    const headers = { 'content-type': 'application/json' };
    return this.operate(target, 'increment', { delta }, 'POST', headers, JSON.stringify({ delta }), ({ text }) => {
      const { value, revision } = JSON.parse(text) as { value: string; revision: string };
      return { value, revision: Number(revision) };
    });
  }

  private operate(
    { key, clusterId }: PlacedKey,
    f: string,
    argument: Value,
    call: string,
    headers: Record<string, string>,
    body: string | undefined,
    valueOf: (answer: HttpAnswer) => Value,
  ): Promise<Completion> {
    const gateway = this.chance.pick(this.gateways);
    const [method, query = ''] = call.split('?') as [string, string?];
    const collection = method === 'POST' ? 'counters' : 'kv';
    const path = `/v1/${collection}/${encodeURIComponent(key)}${query && `?${query}`}`;
    return this.recorder.record(this.process, clusterId, { f, key, value: argument }, async () => {
      try {
        return completionOf(await gateway.call(method, path, headers, body), valueOf);
      } catch {
        return { type: 'info' };
      }
    });
  }
}

/** What an answer says of the operation: took effect, surely did not, or unknown. */
export function completionOf(answer: HttpAnswer, valueOf: (answer: HttpAnswer) => Value): Completion {
  const { status, text } = answer;
  if (status >= 200 && status < 300) return { type: 'ok', value: valueOf(answer) };
  const problem = problemOf(text);
  switch (problem.code) {
    case 'NOT_FOUND':
      return { type: 'ok', value: valueOf(answer) };
    case 'PRECONDITION_FAILED':
      return { type: 'ok', value: { refused: 'PRECONDITION_FAILED', revision: Number(problem.revision) } };
    case 'NOT_AN_INTEGER':
    case 'OVERFLOW':
      return { type: 'ok', value: { refused: problem.code } };
    default:
      return { type: problem.outcome === 'not_applied' ? 'fail' : 'info' };
  }
}

function problemOf(text: string): { code?: string; outcome?: string; revision?: string } {
  try {
    return JSON.parse(text) as { code?: string; outcome?: string; revision?: string };
  } catch {
    return {};
  }
}

function headersOf({ ifRevision, ifAbsent }: Condition): Record<string, string> {
  if (ifAbsent) return { 'if-none-match': '*' };
  return ifRevision === undefined ? {} : { 'if-match': `"${ifRevision}"` };
}

function revisionOf(etag: string | undefined): number {
  return Number(/^"(\d+)"$/.exec(etag ?? '')?.[1]);
}
