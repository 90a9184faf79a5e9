import { encodeCommand, type Request } from '@app/kv';
import { NodeCondition, type Trouble } from './node-condition.js';

const key = Uint8Array.of(1);
const set: Request = { kind: 'set', key, value: key, contentType: '', ttlMs: 0 };
const increment: Request = { kind: 'increment', key, delta: 1n };
const remove: Request = { kind: 'delete', key };
const expire: Request = { kind: 'expire', keys: [key] };
const openSession: Request = { kind: 'openSession' };

describe('NodeCondition', () => {
  const refusal = (condition: NodeCondition, request: Request) => condition.writeRefusal(encodeCommand(request))?.code;

  it('lets everything through while all is well', () => {
    const condition = new NodeCondition();
    for (const request of [set, increment, remove, expire, openSession]) {
      expect(refusal(condition, request)).toBeUndefined();
    }
    expect(condition.readRefusal()).toBeUndefined();
    expect(condition.candidacy).toBe('ready');
  });

  it('refuses on a full disk what needs space, and takes deletes, expiry, and the session that a delete needs', () => {
    const condition = new NodeCondition();
    condition.raise('storage_full', 'full');
    expect([set, increment].map((request) => refusal(condition, request))).toEqual(['STORAGE_FULL', 'STORAGE_FULL']);
    expect([remove, expire, openSession].map((request) => refusal(condition, request))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(condition.readRefusal()).toBeUndefined();
  });

  it('refuses deletes, too, when there is no room even for them', () => {
    const condition = new NodeCondition();
    condition.raise('storage_full', 'full');
    condition.raise('storage_exhausted', 'exhausted');
    expect(refusal(condition, remove)).toBe('STORAGE_FULL');
    expect(condition.readRefusal()).toBeUndefined();
  });

  it('refuses everything in quarantine', () => {
    const condition = new NodeCondition();
    condition.raise('quarantined', 'odd');
    expect(refusal(condition, remove)).toBe('QUARANTINED');
    expect(condition.readRefusal()).toEqual({ code: 'QUARANTINED', detail: 'odd' });
  });

  it.each<[Trouble[], string]>([
    [['storage_full'], 'reluctant'],
    [['storage_full', 'storage_exhausted'], 'reluctant'],
    [['disk_slow'], 'reluctant'],
    [['stopping'], 'reluctant'],
    [['quarantined'], 'never'],
    [['disk_slow', 'quarantined'], 'never'],
  ])('with %j its candidacy is %s', (troubles, candidacy) => {
    const condition = new NodeCondition();
    for (const trouble of troubles) condition.raise(trouble, 'why');
    expect(condition.candidacy).toBe(candidacy);
    for (const trouble of troubles) condition.clear(trouble);
    expect(condition.candidacy).toBe('ready');
  });

  it('tells of each change of what is wrong, not of each sentence', () => {
    const condition = new NodeCondition();
    const seen: string[] = [];
    condition.onChange(() => seen.push(condition.candidacy));
    condition.clear('disk_slow');
    condition.raise('disk_slow', 'one');
    condition.raise('disk_slow', 'other');
    condition.clear('disk_slow');
    condition.clear('disk_slow');
    expect(seen).toEqual(['reluctant', 'ready']);
  });
});
