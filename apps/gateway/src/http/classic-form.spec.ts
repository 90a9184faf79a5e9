import fc from 'fast-check';
import { refusal } from '../testing/refusal.js';
import { parseClassicForm } from './classic-form.js';

const FORM = 'application/x-www-form-urlencoded';
const parse = (body: string, contentType: string | undefined = FORM) => {
  const { operation, key, value } = parseClassicForm(contentType, Buffer.from(body, 'latin1'));
  return [operation, key.toString('latin1'), value.toString('latin1')];
};
const encode = (bytes: Uint8Array) => [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

describe('parseClassicForm', () => {
  it.each([
    ['key=mykey&request=SET|mykey|myvalue', ['SET', 'mykey', 'myvalue']],
    ['request=SET%7Cmykey%7Cmyvalue&key=mykey', ['SET', 'mykey', 'myvalue']],
    ['key=mykey&request=GET|mykey|', ['GET', 'mykey', '']],
    ['key=mykey&request=DELETE|mykey|', ['DELETE', 'mykey', '']],
    ['key=k&request=SET|k|a|b||c', ['SET', 'k', 'a|b||c']],
    ['key=k&request=SET|k|', ['SET', 'k', '']],
    ['key=a+b&request=SET|a%20b|1%2B1', ['SET', 'a b', '1+1']],
    ['key=k&request=SET|k|a=b&more=1', ['SET', 'k', 'a=b']],
  ])('%s', (body, expected) => {
    expect(parse(body)).toEqual(expected);
  });

  it('takes the media type in any case and with parameters', () => {
    expect(parse('key=k&request=GET|k|', 'Application/X-WWW-Form-Urlencoded; charset=UTF-8')[0]).toBe('GET');
  });

  it('keeps any bytes of key and value', () => {
    const anyKey = fc.uint8Array({ minLength: 1, maxLength: 32 }).filter((key) => !key.includes(0x7c));
    fc.assert(
      fc.property(anyKey, fc.uint8Array({ maxLength: 64 }), (key, value) => {
        const body = `key=${encode(key)}&request=${encode(Buffer.concat([Buffer.from('SET|'), key, Buffer.from('|'), value]))}`;
        expect(parse(body)).toEqual([
          'SET',
          Buffer.from(key).toString('latin1'),
          Buffer.from(value).toString('latin1'),
        ]);
      }),
    );
  });

  it.each([
    ['', 'key'],
    ['key=k', 'request'],
    ['request=GET|k|', 'key'],
    ['key=k&key=k&request=GET|k|', 'key'],
    ['key=k&request=GET|k|&request=GET|k|', 'request'],
    ['key=k&request=GET', 'request'],
    ['key=k&request=GET|k', 'request'],
    ['key=k&request=get|k|', 'request'],
    ['key=k&request=PUT|k|v', 'request'],
    ['key=k&request=|k|', 'request'],
    ['key=&request=GET||', 'key'],
    ['key=k&request=GET|other|', 'key'],
    ['key=k&request=GET|k|%', 'body'],
    ['key=k&request=GET|k|%2', 'body'],
    ['key=k&request=GET|k|%zz', 'body'],
  ])('refuses %j, naming %s', (body, field) => {
    expect(() => parse(body)).toThrow(refusal('INVALID_REQUEST', field));
  });

  it.each([undefined, 'application/json', 'text/plain', 'multipart/form-data; boundary=x'])(
    'refuses Content-Type %s',
    (contentType) => {
      expect(() => parseClassicForm(contentType, Buffer.from('key=k&request=GET|k|'))).toThrow(
        refusal('INVALID_REQUEST', 'Content-Type'),
      );
    },
  );
});
