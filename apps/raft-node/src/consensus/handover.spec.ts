import { Handover } from './handover.js';

const ELECTION_TIMEOUT_TICKS = 10;

/** A leader with these voters within reach; a transfer lasts an election timeout, and then it still leads. */
function open(...reachable: string[]) {
  const attempts: { to: string; tick: number }[] = [];
  let tick = 0;
  const core = {
    isLeader: true,
    transferTo: undefined as string | undefined,
    begun: 0,
    status: () => ({ transferTo: core.transferTo }) as never,
    successor: (except: readonly string[] = []) => reachable.find((id) => !except.includes(id)),
    transferLeadership: (to: string) => {
      if (to.startsWith('refused')) return 'unreachable' as const;
      attempts.push({ to, tick });
      core.transferTo = to;
      core.begun = tick;
      return undefined;
    },
  };
  const handover = new Handover(core, ELECTION_TIMEOUT_TICKS);
  const pass = (ticks: number, isWanted = true) => {
    for (let i = 0; i < ticks; i++) {
      tick += 1;
      if (tick - core.begun >= ELECTION_TIMEOUT_TICKS) core.transferTo = undefined;
      handover.tick(isWanted);
    }
  };
  return { handover, core, attempts, pass };
}

describe('Handover', () => {
  it('does nothing while it is not wanted, and on a node that does not lead', () => {
    const { core, attempts, pass } = open('a');
    pass(100, false);
    core.isLeader = false;
    pass(100);
    expect(attempts).toEqual([]);
  });

  it('tries each voter within reach once, the best first, and says that it has failed', () => {
    const { handover, attempts, pass } = open('a', 'refused', 'b');
    pass(ELECTION_TIMEOUT_TICKS);
    expect(attempts.map(({ to }) => to)).toEqual(['a']);
    expect(handover.hasFailed).toBe(false);
    pass(2 * ELECTION_TIMEOUT_TICKS);
    expect(attempts.map(({ to }) => to)).toEqual(['a', 'b']);
    expect(handover.hasFailed).toBe(true);
  });

  it('pauses longer and longer, so that proposals are blocked for an ever smaller part of the time', () => {
    const { attempts, pass } = open('a');
    pass(100 * ELECTION_TIMEOUT_TICKS);
    const pauses = attempts.slice(1).map(({ tick }, i) => tick - attempts[i]!.tick);
    expect(pauses.length).toBeGreaterThan(3);
    pauses.slice(1).forEach((pause, i) => expect(pause).toBeGreaterThan(1.5 * pauses[i]!));
  });

  it('begins anew, without a pause, when it is in a hurry, and when the trouble has come again', () => {
    const { handover, attempts, pass } = open('a');
    pass(3 * ELECTION_TIMEOUT_TICKS);
    expect({ count: attempts.length, hasFailed: handover.hasFailed }).toEqual({ count: 1, hasFailed: true });
    handover.hurry();
    expect(handover.hasFailed).toBe(false);
    pass(1);
    expect(attempts).toHaveLength(2);
    pass(ELECTION_TIMEOUT_TICKS + 1);
    pass(1, false);
    pass(1);
    expect(attempts).toHaveLength(3);
  });

  it('has failed at once where there is nobody else', () => {
    const { handover, pass } = open();
    pass(1);
    expect(handover.hasFailed).toBe(true);
  });
});
