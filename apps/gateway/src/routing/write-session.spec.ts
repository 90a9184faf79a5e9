import { WriteSession } from './write-session.js';

describe('WriteSession', () => {
  it('gives each write its own sequence', () => {
    const session = new WriteSession(7);
    expect([session.begin(), session.begin(), session.begin()].map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  it('acknowledges only what is below everything in flight', () => {
    const session = new WriteSession(7);
    const [first, second, third] = [session.begin(), session.begin(), session.begin()];
    session.end(second);
    session.end(third);
    expect(session.begin()).toEqual({ clientId: 7, sequence: 4, acknowledgedBelow: 1 });
    session.end(first);
    expect(session.begin()).toEqual({ clientId: 7, sequence: 5, acknowledgedBelow: 4 });
  });

  it('never acknowledges a write with its own stamp', () => {
    const session = new WriteSession(7);
    for (let i = 0; i < 100; i += 1) {
      const stamp = session.begin();
      expect(stamp.acknowledgedBelow).toBe(stamp.sequence);
      session.end(stamp);
    }
  });

  it('is used up when one write holds too many answers back, and usable again after', () => {
    const session = new WriteSession(7);
    const slow = session.begin();
    let others = 0;
    while (session.isUsable) {
      session.end(session.begin());
      others += 1;
    }
    expect(others).toBeGreaterThan(1_000);
    expect(others).toBeLessThan(16_384);
    session.end(slow);
    expect(session.isUsable).toBe(true);
  });

  it('is not usable once it was retired', () => {
    const session = new WriteSession(7);
    session.retire();
    expect(session.isUsable).toBe(false);
  });
});
