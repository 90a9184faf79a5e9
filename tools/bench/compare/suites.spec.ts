import { partsOf } from './suites.js';

describe('partsOf', () => {
  it('measures what two suites have in common once', () => {
    expect(partsOf(['failover', 'targets'])).toEqual(['failover', 'target-loads', 'slow-requests', 'many-keys']);
  });
});
