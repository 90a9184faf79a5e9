import { ERROR_TABLE, isErrorCode, type ErrorCode, type ErrorRule } from './error-table.js';

const rows = Object.entries(ERROR_TABLE) as [ErrorCode, ErrorRule][];

describe('the error table', () => {
  it.each(rows)('%s: 503 is surely not applied and 504 unknown', (_code, rule) => {
    const promised = { 503: 'not_applied', 504: 'unknown' }[rule.httpStatus] ?? rule.outcome;
    expect(rule.outcome).toBe(promised);
  });

  it.each(rows)('%s: may be retried only if it was surely not applied', (_code, rule) => {
    expect(rule.retryable && rule.outcome !== 'not_applied').toBe(false);
  });

  it.each(rows)('%s: has a title without a full stop and a meaning that is a sentence', (_code, rule) => {
    expect(rule.title).toMatch(/^[A-Z].*[^.]$/);
    expect(rule.meaning).toMatch(/^[A-Z].*\.$/);
  });

  it('gives the classic API its codes and statuses', () => {
    const classic = Object.fromEntries(
      (
        [
          'INVALID_REQUEST',
          'VALUE_TOO_LARGE',
          'COULD_NOT_FIND_VALID_CLUSTER',
          'INVALID_LEADER',
          'OUTCOME_UNKNOWN',
          'STORAGE_FULL',
        ] as const
      ).map((code) => [code, ERROR_TABLE[code].httpStatus]),
    );
    expect(classic).toEqual({
      INVALID_REQUEST: 400,
      VALUE_TOO_LARGE: 413,
      COULD_NOT_FIND_VALID_CLUSTER: 503,
      INVALID_LEADER: 503,
      OUTCOME_UNKNOWN: 504,
      STORAGE_FULL: 507,
    });
  });

  it('knows its codes and nothing that every object has', () => {
    expect(isErrorCode('NOT_LEADER')).toBe(true);
    expect(isErrorCode('toString')).toBe(false);
    expect(isErrorCode('')).toBe(false);
  });
});
