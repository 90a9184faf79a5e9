import { RequestIds, givenId } from './request-ids.js';

describe('RequestIds', () => {
  it.each([
    '7',
    'b1946ac9-2492-4a5d-9f5e-0123456789ab',
    'Root=1-67891233-abcdef012345',
    'a/b:c+d@e.f',
    'x'.repeat(128),
  ])('takes %s from the client', (id) => {
    expect(new RequestIds().idOf({ 'x-request-id': id })).toBe(id);
  });

  it.each(['', 'two words', 'line\nbreak', '{"json":1}', 'ümlaut', 'x'.repeat(129), 'a, b'])(
    'passes over %j, which is no id to pass on',
    (id) => {
      expect(givenId({ 'x-request-id': id })).toBeUndefined();
    },
  );

  it('gives each request without one an id of its own, and two gateways different ones', () => {
    const [one, other] = [new RequestIds(), new RequestIds()];
    const ids = [one, one, one, other, other].map((gateway) => gateway.idOf({}));
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) expect(givenId({ 'x-request-id': id })).toBe(id);
  });
});
