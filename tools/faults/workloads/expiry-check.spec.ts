import type { HistoryEvent } from '@app/simulator';
import { expiryFaults } from './expiry-check.js';

const MARGIN_MS = 10;
type Value = HistoryEvent['value'];

/** process, f, from, to (ms), argument, answer; `null` as answer of a read: nothing there. */
type Row = readonly [
  process: number,
  f: 'read' | 'write',
  from: number,
  to: number,
  type: 'ok' | 'fail' | 'info',
  value: Value,
];

const expiring = (from: number, to: number, type: 'ok' | 'fail' | 'info' = 'ok'): Row => [
  0,
  'write',
  from,
  to,
  type,
  { value: 'e', ttlMs: 1000 },
];
const lasting = (from: number, to: number, type: 'ok' | 'fail' | 'info' = 'ok'): Row => [
  1,
  'write',
  from,
  to,
  type,
  { value: 'l' },
];
const read = (from: number, to: number, value: string | null): Row => [
  2,
  'read',
  from,
  to,
  'ok',
  value && { value, revision: 1 },
];

function faultsOf(...rows: readonly Row[]): string[] {
  const events = rows.flatMap(([process, f, from, to, type, value], i): HistoryEvent[] => {
    const both = { process: process * 100 + i, f, key: 'k' };
    return [
      { ...both, type: 'invoke', value: f === 'write' ? value : null, time: from * 1000 },
      { ...both, type, value: f === 'read' ? value : {}, time: to * 1000 },
    ];
  });
  return expiryFaults(
    events.sort((a, b) => a.time - b.time),
    MARGIN_MS,
  );
}

describe('expiryFaults', () => {
  it('finds nothing wrong with a key that is there until its time and gone later', () => {
    expect(
      faultsOf(expiring(0, 20), read(5, 8, null), read(30, 40, 'e'), read(1005, 1010, 'e'), read(1100, 1110, null)),
    ).toEqual([]);
  });

  it('finds a key that is gone before its time, but allows for the margin', () => {
    expect(faultsOf(expiring(0, 20), read(900, 980, null))).toEqual([expect.stringContaining('had time left')]);
    expect(faultsOf(expiring(0, 20), read(900, 991, null))).toEqual([]);
  });

  it('finds a key that comes back', () => {
    const rows = [expiring(0, 20), read(1050, 1060, null)];
    expect(faultsOf(...rows, read(1055, 1070, 'e'))).toEqual([]);
    expect(faultsOf(...rows, read(1060, 1070, 'e'))).toEqual([expect.stringContaining('found e again')]);
  });

  it('lets a write of unknown outcome come late, but only once', () => {
    const rows = [expiring(0, 20, 'info'), read(100, 110, null), read(2000, 2010, 'e')];
    expect(faultsOf(...rows, read(3000, 3010, null))).toEqual([]);
    expect(faultsOf(...rows, read(3000, 3010, null), read(4000, 4010, 'e'))).toHaveLength(1);
  });

  it('finds what had failed, what nobody wrote, and what was read before it was written', () => {
    expect(faultsOf(expiring(0, 20, 'fail'), read(100, 110, 'e'))).toHaveLength(1);
    expect(faultsOf(expiring(0, 20), read(100, 110, 'x'))).toHaveLength(1);
    expect(faultsOf(expiring(200, 220), read(100, 110, 'e'))).toHaveLength(1);
  });

  it('holds a lasting write to its word', () => {
    const rows = [expiring(0, 20), lasting(500, 520)];
    expect(faultsOf(...rows, read(400, 510, 'e'), read(515, 525, 'l'), read(5000, 5010, 'l'))).toEqual([]);
    expect(faultsOf(...rows, read(5000, 5010, null))).toHaveLength(1);
    expect(faultsOf(...rows, read(600, 610, 'e')).length).toBeGreaterThan(0);
    expect(faultsOf(expiring(0, 20), lasting(500, 520, 'info'), read(5000, 5010, null))).toEqual([]);
    expect(faultsOf(expiring(0, 20), lasting(500, 520, 'fail'), read(900, 910, null))).toHaveLength(1);
  });

  it('takes a write that was never answered for one of unknown outcome', () => {
    const invoke: HistoryEvent = {
      process: 0,
      type: 'invoke',
      f: 'write',
      key: 'k',
      value: { value: 'e', ttlMs: 1 },
      time: 0,
    };
    expect(expiryFaults([invoke], MARGIN_MS)).toEqual([]);
  });
});
