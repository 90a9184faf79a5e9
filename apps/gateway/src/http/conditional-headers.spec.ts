import { etagOf, isNotModified, writeCondition } from './conditional-headers.js';
import { refusal } from '../testing/refusal.js';

describe('writeCondition', () => {
  it.each([
    [{}, undefined],
    [{ 'if-match': '"17"' }, { kind: 'ifRevision', revision: 17 }],
    [{ 'if-match': ' "0" ' }, { kind: 'ifRevision', revision: 0 }],
    [{ 'if-match': '*' }, { kind: 'ifPresent' }],
    [{ 'if-none-match': '*' }, { kind: 'ifAbsent' }],
  ])('%j demands %j', (headers, condition) => {
    expect(writeCondition(headers)).toEqual(condition);
  });

  it.each(['17', '"a"', 'W/"17"', '"1", "2"', '"017"', '"-1"', '""', '', '"99999999999999999"'])(
    'refuses If-Match: %s',
    (ifMatch) => {
      expect(() => writeCondition({ 'if-match': ifMatch })).toThrow(refusal('INVALID_REQUEST', 'If-Match'));
    },
  );

  it('refuses an If-None-Match that is not *, and both headers together', () => {
    expect(() => writeCondition({ 'if-none-match': '"17"' })).toThrow(refusal('INVALID_REQUEST', 'If-None-Match'));
    expect(() => writeCondition({ 'if-match': '*', 'if-none-match': '*' })).toThrow(
      refusal('INVALID_REQUEST', 'If-None-Match'),
    );
  });
});

describe('isNotModified', () => {
  it.each([
    ['"17"', true],
    ['"16"', false],
    ['W/"17"', true],
    ['"1", W/"17" ,"3"', true],
    ['"017"', false],
    ['"abc"', false],
    ['*', true],
  ])('If-None-Match: %s against revision 17 -> %s', (ifNoneMatch, expected) => {
    expect(isNotModified({ 'if-none-match': ifNoneMatch })?.(17)).toBe(expected);
  });

  it('is no question without the header', () => {
    expect(isNotModified({})).toBeUndefined();
  });

  it.each(['17', '"1" "2"', '"1",', ''])('refuses If-None-Match: %j', (ifNoneMatch) => {
    expect(() => isNotModified({ 'if-none-match': ifNoneMatch })).toThrow(refusal('INVALID_REQUEST', 'If-None-Match'));
  });

  it('refuses If-Match, which a read does not evaluate', () => {
    expect(() => isNotModified({ 'if-match': '"1"' })).toThrow(refusal('INVALID_REQUEST', 'If-Match'));
  });

  it('knows the tag that a write was answered with', () => {
    expect(isNotModified({ 'if-none-match': etagOf(123) })?.(123)).toBe(true);
  });
});
