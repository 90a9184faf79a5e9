import { RingraftError } from '@app/rpc';

export interface ClassicRequest {
  readonly operation: 'SET' | 'GET' | 'DELETE';
  readonly key: Buffer;
  /** Empty but for SET. */
  readonly value: Buffer;
}

/**
 * Reads the form of `POST /request`: fields `key` and `request`, the latter `SET|<key>|<value>`, `GET|<key>|` or
 * `DELETE|<key>|`, where only the first two bars separate. All as bytes: what the form encodes is what is stored.
 * Throws INVALID_REQUEST.
 */
export function parseClassicForm(contentType: string | undefined, body: Buffer | undefined): ClassicRequest {
  const mediaType = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/x-www-form-urlencoded') {
    throw invalid('Content-Type', 'must be application/x-www-form-urlencoded');
  }
  const fields = parseForm(body ?? Buffer.alloc(0));
  const key = single(fields, 'key');
  const request = single(fields, 'request');

  const firstBar = request.indexOf(BAR);
  const secondBar = firstBar === -1 ? -1 : request.indexOf(BAR, firstBar + 1);
  if (secondBar === -1) throw invalid('request', 'must be OPERATION|key|value');
  const operation = request.toString('latin1', 0, firstBar);
  if (operation !== 'SET' && operation !== 'GET' && operation !== 'DELETE') {
    throw invalid('request', 'must begin with SET, GET or DELETE');
  }
  if (key.length === 0) throw invalid('key', 'must not be empty');
  if (!key.equals(request.subarray(firstBar + 1, secondBar))) throw invalid('key', 'must be the key in request');
  return { operation, key, value: operation === 'SET' ? request.subarray(secondBar + 1) : Buffer.alloc(0) };
}

/** application/x-www-form-urlencoded, but names and values are bytes and a malformed escape is an error. */
function parseForm(body: Buffer): Map<string, Buffer[]> {
  const fields = new Map<string, Buffer[]>();
  for (let start = 0; start < body.length;) {
    const ampersand = body.indexOf(AMPERSAND, start);
    const end = ampersand === -1 ? body.length : ampersand;
    if (end > start) {
      const pair = body.subarray(start, end);
      const equals = pair.indexOf(EQUALS);
      const name = decode(equals === -1 ? pair : pair.subarray(0, equals)).toString('latin1');
      const value = equals === -1 ? Buffer.alloc(0) : decode(pair.subarray(equals + 1));
      const values = fields.get(name);
      if (values === undefined) fields.set(name, [value]);
      else values.push(value);
    }
    start = end + 1;
  }
  return fields;
}

function single(fields: ReadonlyMap<string, readonly Buffer[]>, name: string): Buffer {
  const values = fields.get(name) ?? [];
  const [value] = values;
  if (value === undefined) throw invalid(name, 'is missing');
  if (values.length > 1) throw invalid(name, 'is given more than once');
  return value;
}

function decode(encoded: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; at += 1) {
    let byte = encoded[at]!;
    if (byte === PLUS) byte = SPACE;
    else if (byte === PERCENT) {
      const digits = encoded.toString('latin1', at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) throw invalid('body', 'has a % without two hexadecimal digits');
      byte = Number.parseInt(digits, 16);
      at += 2;
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

const BAR = 0x7c;
const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;

function invalid(field: string, message: string): RingraftError {
  return new RingraftError('INVALID_REQUEST', `${field} ${message}`, { errors: [{ field, message }] });
}
