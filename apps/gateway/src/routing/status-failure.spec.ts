import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { statusFailure } from './status-failure.js';

describe('why a node did not answer', () => {
  it.each([
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded after 0.999s,Waiting for LB pick', 'it did not answer within 700 ms'],
    [status.UNAVAILABLE, 'Last error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ', 'connection refused'],
    [status.UNAVAILABLE, 'Connection dropped', 'Connection dropped'],
    [status.INTERNAL, '', 'the message'],
  ])('%i "%s": %s', (code, details, words) => {
    const error: ServiceError = Object.assign(new Error('the message'), { code, details, metadata: new Metadata() });
    expect(statusFailure(error, 700)).toBe(words);
  });
});
