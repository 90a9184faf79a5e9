import { getRequest, headBytes, putRequest, tailOf } from './requests.js';

const VALUE = Buffer.from('value');

function wire(dialect: 'rest' | 'etcd' | 'echo'): string {
  const tail = tailOf(dialect, VALUE);
  return headBytes(putRequest(dialect, 'a/b'), 'h:1', tail.length).toString() + tail.toString();
}

describe('requests', () => {
  it('writes over REST: the key in the path, the value as the body', () => {
    expect(wire('rest')).toBe(
      'PUT /v1/kv/a%2Fb HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nvalue',
    );
    expect(wire('echo')).toBe(wire('rest'));
  });

  it("writes as etcd's JSON gateway wants it, with the length of the whole body", () => {
    const [head, body] = wire('etcd').split('\r\n\r\n');
    expect(JSON.parse(body!)).toEqual({ key: 'YS9i', value: VALUE.toString('base64') });
    expect(head).toBe(
      `POST /v3/kv/put HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\nContent-Length: ${body!.length}`,
    );
  });

  it('reads without a body, and from etcd linearizably, which is its default', () => {
    const get = (dialect: 'rest' | 'etcd' | 'echo') => headBytes(getRequest(dialect, 'a/b', 16), 'h:1', 99).toString();
    expect(get('rest')).toBe('GET /v1/kv/a%2Fb HTTP/1.1\r\nHost: h:1\r\n\r\n');
    expect(get('echo')).toBe('GET /bytes/16 HTTP/1.1\r\nHost: h:1\r\n\r\n');
    expect(get('etcd')).toBe(
      'POST /v3/kv/range HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"key":"YS9i"}',
    );
  });
});
