import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { drawRequests } from './key-order.js';
import { type Load, keyCountFor, keyName } from './load.js';
import { type Dialect, type PreparedRequest, getRequest, headBytes, putRequest, tailOf } from './requests.js';

/** As many are drawn; then they come again. */
const DRAWS = 100_000;
const SEED = 20_131;

/**
 * The file that `replay.lua` reads. Numbers are decimal text with a space or a line break after them, a block is its length
 * and its bytes: the tail as a block; the number of requests, each with 1 or 0 for whether the tail follows it, and its head as a
 * block; the number of draws, each the number of a request, from 1.
 */
export function encodeRequests(
  tail: Buffer,
  requests: readonly { readonly head: Buffer; readonly hasTail: boolean }[],
  order: readonly number[],
): Buffer {
  return Buffer.concat([
    block(tail),
    Buffer.from(`${requests.length}\n`),
    ...requests.flatMap(({ head, hasTail }) => [Buffer.from(hasTail ? '1 ' : '0 '), block(head)]),
    Buffer.from(`${order.length}\n${order.join(' ')}\n`),
  ]);
}

/** Everything that one system is sent in one row of the comparison. */
export function writeRequestFile(path: string, load: Load, dialect: Dialect, host: string): void {
  const keyCount = keyCountFor(load.valueBytes);
  const tail = tailOf(dialect, valueOf(load.valueBytes));
  const head = (request: PreparedRequest) => ({
    head: headBytes(request, host, tail.length),
    hasTail: request.hasTail,
  });
  const keys = Array.from({ length: keyCount }, (_, i) => keyName(i));
  const gets = load.work === 'put' ? [] : keys.map((key) => head(getRequest(dialect, key, load.valueBytes)));
  const puts = load.work === 'get' ? [] : keys.map((key) => head(putRequest(dialect, key)));
  const draws = drawRequests(load.work, load.keys, keyCount, DRAWS, SEED);
  const order = draws.map(({ key, isPut }) => (isPut ? gets.length : 0) + key + 1);
  writeFileSync(path, encodeRequests(tail, [...gets, ...puts], order));
}

/** Text that does not compress well. */
export function valueOf(bytes: number): Buffer {
  return Buffer.from(randomBytes(bytes).toString('base64').slice(0, bytes));
}

function block(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes, Buffer.from('\n')]);
}
