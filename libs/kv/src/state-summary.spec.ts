import { DecodeError } from './decode-error.js';
import { encodeMeta } from './meta-row.js';
import { decodeStateSummary } from './state-summary.js';

const meta = encodeMeta({
  appliedIndex: 17,
  revision: 9,
  logTimeMs: 1_700_000_000_000,
  lastClientId: 3,
  content: { high: 1, low: 2 },
  history: { high: -1, low: 0 },
});

describe('the summary of a state', () => {
  it('is what the state was written with', () => {
    expect(decodeStateSummary(meta)).toEqual({
      appliedIndex: 17,
      revision: 9,
      logTimeMs: 1_700_000_000_000,
      hashes: { content: '0000000100000002', history: 'ffffffff00000000' },
    });
  });

  it('is refused when a part of it is missing', () => {
    expect(() => decodeStateSummary(meta.subarray(0, -1))).toThrow(DecodeError);
  });
});
