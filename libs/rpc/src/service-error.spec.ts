import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { Channel } from './channel.js';
import { KeyValueClient, KeyValueService, type KeyValueServer } from './gen/kv.js';
import { RingraftError } from './ringraft-error.js';
import { fromServiceError, toServiceError } from './service-error.js';
import { startLoopbackServer, type LoopbackServer } from './testing/loopback-server.js';

describe('errors over gRPC', () => {
  let thrown: unknown;
  let server: LoopbackServer;
  let channel: Channel;

  beforeAll(async () => {
    const refuse: KeyValueServer['get'] = (_call, callback) => callback(toServiceError(thrown));
    server = await startLoopbackServer((grpc) =>
      grpc.addService(KeyValueService, {
        openSession: (_call, callback) => callback(toServiceError(thrown)),
        get: refuse,
        set: (_call, callback) => callback(toServiceError(thrown)),
        delete: (_call, callback) => callback(toServiceError(thrown)),
        execute: (call) => call.end(),
      } satisfies KeyValueServer),
    );
    channel = new Channel(server.address);
  });

  afterAll(() => {
    channel.close();
    server.kill();
  });

  async function failureOfGet(): Promise<{ raw: ServiceError; error: RingraftError }> {
    const raw = await new Promise<ServiceError>((resolve, reject) => {
      channel
        .client(KeyValueClient)
        .get({ key: Buffer.from('k'), consistency: 0, forward: false }, (error) =>
          error ? resolve(error) : reject(new Error('the call succeeded')),
        );
    });
    return { raw, error: fromServiceError(raw) };
  }

  it('shortens a detail that would break the connection, and never inside a character', async () => {
    thrown = new RingraftError('INVALID_REQUEST', `x${'\u{1F600}'.repeat(100_000)}`);
    const { raw } = await failureOfGet();
    expect(raw.code).toBe(status.INVALID_ARGUMENT);
    expect(raw.details).toBe(`x${'\u{1F600}'.repeat(511)}...`);
  });

  it('carries code, detail, outcome and fields to the caller', async () => {
    const leader = { nodeId: 'c1-n2', address: '127.0.0.1:7002' };
    thrown = new RingraftError('NOT_LEADER', 'c1-n1 follows', { leader });
    const { raw, error } = await failureOfGet();
    expect(raw.code).toBe(status.FAILED_PRECONDITION);
    expect(raw.details).toBe('c1-n1 follows');
    expect({ ...error }).toMatchObject({
      code: 'NOT_LEADER',
      detail: 'c1-n1 follows',
      outcome: 'not_applied',
      fields: { leader },
    });
  });

  it('carries text that is not ASCII', async () => {
    thrown = new RingraftError('INVALID_REQUEST', 'ключ: größer', { errors: [{ field: 'key', message: '大きい' }] });
    const { error } = await failureOfGet();
    expect(error.detail).toBe('ключ: größer');
    expect(error.fields.errors).toEqual([{ field: 'key', message: '大きい' }]);
  });

  it('keeps an outcome that differs from the table', async () => {
    thrown = new RingraftError('SESSION_EXPIRED', 'after a retry', {}, { outcome: 'unknown' });
    expect((await failureOfGet()).error.outcome).toBe('unknown');
  });

  it('does not show the text of an unexpected error', async () => {
    thrown = new Error('password=hunter2');
    const { raw, error } = await failureOfGet();
    expect(error.code).toBe('INTERNAL');
    expect(JSON.stringify([raw.message, raw.details, error.message])).not.toContain('hunter2');
  });

  it.each([
    [status.UNAVAILABLE, 'OUTCOME_UNKNOWN', 'unknown'],
    [status.INTERNAL, 'OUTCOME_UNKNOWN', 'unknown'],
    [status.CANCELLED, 'OUTCOME_UNKNOWN', 'unknown'],
    [status.UNIMPLEMENTED, 'UNSUPPORTED', 'not_applied'],
    [status.INVALID_ARGUMENT, 'INVALID_REQUEST', 'not_applied'],
  ] as const)('takes a bare status %i, which somebody else made, as %s', (code, expectedCode, outcome) => {
    const bare = Object.assign(new Error('text'), { code, details: 'text', metadata: new Metadata() });
    expect(fromServiceError(bare)).toMatchObject({ code: expectedCode, outcome });
  });

  it('survives damaged fields', () => {
    const metadata = new Metadata();
    metadata.set('ringraft-code', 'OVERLOADED');
    metadata.set('ringraft-fields-bin', Buffer.from('{'));
    const damaged = Object.assign(new Error('x'), { code: status.UNAVAILABLE, details: 'x', metadata });
    expect(fromServiceError(damaged)).toMatchObject({ code: 'OVERLOADED', fields: {} });
  });
});
