import { parseChecks } from './endpoint-health.js';

describe('the answer of /readyz?verbose', () => {
  it('is read line by line', () => {
    const text = '[+]shutdown ok\n[-]leaders failed: no known leader of cluster c1, c2\nreadyz check failed\n';
    expect(parseChecks(text)).toEqual([
      { name: 'shutdown', ok: true, reason: null },
      { name: 'leaders', ok: false, reason: 'no known leader of cluster c1, c2' },
    ]);
  });

  it('has no checks in it when somebody else answers', () => {
    expect(parseChecks('<html>not found</html>')).toEqual([]);
  });
});
