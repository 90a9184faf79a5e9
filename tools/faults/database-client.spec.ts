import { completionOf } from './database-client.js';

describe('completionOf', () => {
  const problem = (status: number, fields: object) =>
    completionOf({ status, headers: {}, text: JSON.stringify(fields) }, () => 'the value');

  it('takes success, and the absence of a key, for an answer', () => {
    expect(problem(201, {})).toEqual({ type: 'ok', value: 'the value' });
    expect(problem(404, { code: 'NOT_FOUND', outcome: 'not_applied' })).toEqual({ type: 'ok', value: 'the value' });
  });

  it('takes a condition that did not hold for an answer', () => {
    const refusal = { code: 'PRECONDITION_FAILED', outcome: 'not_applied', revision: '17' };
    expect(problem(412, refusal)).toEqual({ type: 'ok', value: { refused: 'PRECONDITION_FAILED', revision: 17 } });
  });

  it('believes that something failed only if it is told so', () => {
    expect(problem(503, { code: 'INVALID_LEADER', outcome: 'not_applied' })).toEqual({ type: 'fail' });
    expect(problem(504, { code: 'OUTCOME_UNKNOWN', outcome: 'unknown' })).toEqual({ type: 'info' });
    expect(problem(500, {})).toEqual({ type: 'info' });
    expect(completionOf({ status: 502, headers: {}, text: '<html>' }, () => 1)).toEqual({ type: 'info' });
  });
});
