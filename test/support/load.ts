import type { HttpAnswer, HttpClient } from './http-client.js';

/** More than the gateway's own bound: a request that takes longer has been lost. */
const REQUEST_TIMEOUT_MS = 40_000;

/** Something that a client was told that cannot be true, or an answer that it should not have got. */
export class BrokenPromiseError extends Error {
  override readonly name = 'BrokenPromiseError';
}

/** The last acknowledged state of a key that one client alone writes. */
export interface AcknowledgedKey {
  readonly key: string;
  readonly value: string;
  readonly etag: string;
}

/** What one client does over and over; resolves when its operation was acknowledged. */
type Operation = () => Promise<void>;

/**
 * Clients that write and read through gateways in loops until they are told to stop, and check every answer against
 * what they were told before. Each key is written by one client, so a linearizable read has exactly one right answer;
 * counters are shared, so their increments are distinct numbers.
 *
 * Any answer but success ends the client with a `BrokenPromiseError`, which `stop` throws.
 */
export class Load {
  /** Writes that were acknowledged, by the cluster that acknowledged them. */
  private readonly acknowledgedRevisions = new Map<string, number[]>();
  private readonly incrementsOf = new Map<string, number[]>();
  private readonly keys = new Map<string, AcknowledgedKey>();
  private readonly loops: { readonly clusterKeyTag: string; operations: number; ended: Promise<void> }[] = [];
  private isStopping = false;
  /** A client has ended early; `stop` says why. */
  hasFailed = false;
  /** Of all requests so far, the one that took longest. */
  longestRequestMs = 0;

  /** Writes unique values and reads each one back. */
  addWriter(http: HttpClient, keyTag: string, name: string): void {
    const key = `${keyTag}writer-${name}`;
    let n = 0;
    this.addLoop(keyTag, async () => {
      const value = `${name}-${++n}`;
      const etag = await this.write(http, key, value);
      this.keys.set(key, { key, value, etag });
      await this.expectRead(http, { key, value, etag });
    });
  }

  /** Replaces its value by the next number, each time only if nobody else has. */
  addCompareAndSetChain(http: HttpClient, keyTag: string, name: string): void {
    const key = `${keyTag}chain-${name}`;
    let n = 0;
    this.addLoop(keyTag, async () => {
      const last = this.keys.get(key);
      const value = String(++n);
      const etag = await this.write(http, key, value, last ? { 'if-match': last.etag } : { 'if-none-match': '*' });
      this.keys.set(key, { key, value, etag });
    });
  }

  /** Counts up the counter that all clients with the same `counter` and tag share. */
  addIncrementer(http: HttpClient, keyTag: string, counter: string): void {
    const key = `${keyTag}counter-${counter}`;
    const seen = this.incrementsOf.get(key) ?? [];
    this.incrementsOf.set(key, seen);
    this.addLoop(keyTag, async () => {
      const answer = await this.request(`increment of ${key}`, () =>
        http.call('POST', `/v1/counters/${encodeURIComponent(key)}`, {
          headers: { 'content-type': 'application/json' },
          body: '{"delta":1}',
          timeoutMs: REQUEST_TIMEOUT_MS,
        }),
      );
      const { value, revision } = answer.json<{ value: string; revision: string }>();
      seen.push(Number(value));
      this.acknowledge(answer, Number(revision));
    });
  }

  /** Operations that clients of this tag have finished so far. */
  progressOf(keyTag: string): number {
    return Math.min(...this.loops.filter((loop) => loop.clusterKeyTag === keyTag).map((loop) => loop.operations));
  }

  /** Lets every client finish what it does. Throws the first thing that went wrong at any of them. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.loops.map((loop) => loop.ended));
  }

  get writtenKeys(): readonly string[] {
    return [...this.keys.keys()];
  }

  /** The revisions of all acknowledged writes of a cluster, ascending. */
  revisionsOf(clusterId: string): number[] {
    return (this.acknowledgedRevisions.get(clusterId) ?? []).sort((a, b) => a - b);
  }

  /** What each acknowledged increment made of the counter, ascending. */
  countsOf(keyTag: string, counter: string): number[] {
    return (this.incrementsOf.get(`${keyTag}counter-${counter}`) ?? []).sort((a, b) => a - b);
  }

  /** Reads every key again and throws unless it has the value and the ETag that were acknowledged last. */
  async verify(http: HttpClient): Promise<void> {
    for (const acknowledged of this.keys.values()) await this.expectRead(http, acknowledged);
    for (const [key, counts] of this.incrementsOf) {
      const { text } = await this.request(`GET of ${key}`, () => http.get(pathOf(key)));
      if (text !== String(Math.max(...counts))) {
        throw new BrokenPromiseError(`${key} is ${text}, the last increment made it ${Math.max(...counts)}`);
      }
    }
  }

  private addLoop(clusterKeyTag: string, operation: Operation): void {
    const loop = { clusterKeyTag, operations: 0, ended: Promise.resolve() };
    const run = async (): Promise<void> => {
      while (!this.isStopping) {
        await operation();
        loop.operations += 1;
      }
    };
    loop.ended = run();
    loop.ended.catch(() => (this.hasFailed = true));
    this.loops.push(loop);
  }

  private async write(http: HttpClient, key: string, value: string, headers = {}): Promise<string> {
    const answer = await this.request(`PUT of ${key}`, () =>
      http.put(pathOf(key), value, { headers, timeoutMs: REQUEST_TIMEOUT_MS }),
    );
    const etag = answer.headers.etag ?? '';
    this.acknowledge(answer, Number(/^"(\d+)"$/.exec(etag)?.[1]));
    return etag;
  }

  private async expectRead(http: HttpClient, { key, value, etag }: AcknowledgedKey): Promise<void> {
    const answer = await this.request(`GET of ${key}`, () => http.get(pathOf(key), { timeoutMs: REQUEST_TIMEOUT_MS }));
    if (answer.text === value && answer.headers.etag === etag) return;
    throw new BrokenPromiseError(
      `${key} reads ${answer.text} with ETag ${answer.headers.etag}, acknowledged was ${value} with ${etag}`,
    );
  }

  private acknowledge({ headers }: HttpAnswer, revision: number): void {
    const clusterId = String(headers['ringraft-cluster']);
    const revisions = this.acknowledgedRevisions.get(clusterId) ?? [];
    revisions.push(revision);
    this.acknowledgedRevisions.set(clusterId, revisions);
  }

  private async request(what: string, send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const startedAt = performance.now();
    const answer = await send();
    const durationMs = performance.now() - startedAt;
    this.longestRequestMs = Math.max(this.longestRequestMs, durationMs);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new BrokenPromiseError(`${what}: ${answer.status} ${answer.text} after ${Math.round(durationMs)} ms`);
  }
}

function pathOf(key: string): string {
  return `/v1/kv/${encodeURIComponent(key)}`;
}
