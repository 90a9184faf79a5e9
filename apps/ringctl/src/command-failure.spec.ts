import { RingraftError } from '@app/rpc';
import pc from 'picocolors';
import { CommandFailure } from './command-failure.js';
import { EXIT } from './exit-code.js';
import { asFailure, failureJson, failureLines } from './failure-report.js';

describe('how a command ends', () => {
  it.each([
    [new RingraftError('NOT_FOUND', 'x'), EXIT.NOT_FOUND],
    [new RingraftError('PRECONDITION_FAILED', 'x'), EXIT.CONDITION_FAILED],
    [new RingraftError('INVALID_REQUEST', 'x'), EXIT.FAILED],
    [new RingraftError('STORAGE_FULL', 'x'), EXIT.FAILED],
    [new RingraftError('NO_LEADER', 'x'), EXIT.UNAVAILABLE],
    [new RingraftError('TOO_MANY_REQUESTS', 'x'), EXIT.UNAVAILABLE],
    [new RingraftError('OUTCOME_UNKNOWN', 'x'), EXIT.UNKNOWN],
    [new RingraftError('NOT_LEADER', 'x', {}, { outcome: 'unknown' }), EXIT.UNKNOWN],
    [Object.assign(new Error('ENOENT: /nowhere'), { syscall: 'open' }), EXIT.FAILED],
    [new Error('a defect'), EXIT.FAILED],
  ])('%s: %i', (error, exitCode) => expect(asFailure(error).exitCode).toBe(exitCode));

  it('says what to do next', () => {
    const lines = failureLines(asFailure(new RingraftError('NO_LEADER', 'c1 has none')), pc.createColors(false));
    expect(lines).toEqual(['error: c1 has none (NO_LEADER)', expect.stringContaining('hint:  `ringctl status`')]);
    expect(failureLines(new CommandFailure(EXIT.FAILED, 'so'), pc.createColors(false))).toEqual(['error: so']);
  });

  it('tells scripts the code, the outcome and the revision', () => {
    const failure = new CommandFailure(EXIT.CONDITION_FAILED, 'no', {
      code: 'C',
      outcome: 'not_applied',
      revision: '7',
    });
    expect(failureJson(failure)).toEqual({
      error: { exit_code: 6, code: 'C', message: 'no', outcome: 'not_applied', hint: null, revision: '7' },
    });
  });
});
