/** How the same request looks in HTTP for each system. */
export const DIALECTS = ['rest', 'etcd', 'echo'] as const;
export type Dialect = (typeof DIALECTS)[number];

/**
 * A request whose body ends with something that all writes have in common, so that ten thousand of them with large values
 * need not be kept ten thousand times.
 */
export interface PreparedRequest {
  readonly method: string;
  readonly path: string;
  readonly contentType?: string;
  /** Without the tail. */
  readonly body: string;
  readonly hasTail: boolean;
}

/** What every write's body ends with, given the value. */
export function tailOf(dialect: Dialect, value: Buffer): Buffer {
  return dialect === 'etcd' ? Buffer.from(`${value.toString('base64')}"}`) : value;
}

export function putRequest(dialect: Dialect, key: string): PreparedRequest {
  if (dialect === 'etcd') {
    const body = `{"key":"${base64(key)}","value":"`;
    return { method: 'POST', path: '/v3/kv/put', contentType: 'application/json', body, hasTail: true };
  }
  const path = `/v1/kv/${encodeURIComponent(key)}`;
  return { method: 'PUT', path, contentType: 'application/octet-stream', body: '', hasTail: true };
}

/** `valueBytes` is for the echo, which keeps nothing: it answers as many bytes. */
export function getRequest(dialect: Dialect, key: string, valueBytes: number): PreparedRequest {
  switch (dialect) {
    case 'etcd':
      return {
        method: 'POST',
        path: '/v3/kv/range',
        contentType: 'application/json',
        body: `{"key":"${base64(key)}"}`,
        hasTail: false,
      };
    case 'rest':
      return { method: 'GET', path: `/v1/kv/${encodeURIComponent(key)}`, body: '', hasTail: false };
    case 'echo':
      return { method: 'GET', path: `/bytes/${valueBytes}`, body: '', hasTail: false };
  }
}

/** HTTP/1.1 as it goes over the wire, up to the tail. */
export function headBytes(request: PreparedRequest, host: string, tailBytes: number): Buffer {
  const { method, path, contentType, body, hasTail } = request;
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`];
  if (contentType !== undefined) {
    const length = Buffer.byteLength(body) + (hasTail ? tailBytes : 0);
    lines.push(`Content-Type: ${contentType}`, `Content-Length: ${length}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
