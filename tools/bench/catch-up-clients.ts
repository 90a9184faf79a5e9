/** The clients of `npm run bench:catch-up`: many that write as fast as they can, and few that keep a pace and look at the clock. */
import { randomFillSync } from 'node:crypto';
import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeAnswer, encodeCommand, type Request } from '@app/kv';
import { Channel, ERROR_TABLE, ExecuteStream, isErrorCode, outcomeOfResult, type Result } from '@app/rpc';

const TIMEOUT_MS = 30_000;
const REPEAT_DELAY_MS = 20;

/** What went wrong, at whoever; must stay empty. */
export class Failures {
  count = 0;
  /** Requests that were refused, surely not applied, and sent again, as a gateway does it. They are no failures. */
  repeats = 0;
  private readonly byReason = new Map<string, number>();

  add(reason: string): void {
    this.count += 1;
    this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + 1);
  }

  describe(): string {
    return [...this.byReason].map(([reason, count]) => `${count} x ${reason}`).join('; ');
  }
}

/** A connection of its own to one node. */
export class Connection {
  private readonly channel: Channel;
  private readonly stream: ExecuteStream;

  constructor(
    address: string,
    private readonly failures: Failures,
  ) {
    // A channel of grpc-js shares its connection with others that have the same options.
    this.channel = new Channel(address, { options: { 'grpc.use_local_subchannel_pool': 1 } });
    this.stream = new ExecuteStream(this.channel);
  }

  /** Whichever node leads; what a node without a leader refuses is sent again. */
  async execute(request: Request): Promise<Result> {
    const command = encodeCommand(request);
    const deadline = performance.now() + TIMEOUT_MS;
    for (;;) {
      const timeoutMs = Math.max(1, deadline - performance.now());
      const result = await this.stream.execute({ command, timeoutMs, forward: true });
      if (!mayBeRepeated(result) || performance.now() + REPEAT_DELAY_MS > deadline) return result;
      this.failures.repeats += 1;
      await delay(REPEAT_DELAY_MS);
    }
  }

  close(): void {
    this.stream.close();
    this.channel.close();
  }
}

export interface FloodOptions {
  readonly connections: number;
  /** Writes that a connection has under way. */
  readonly depth: number;
  readonly keys: number;
  readonly valueBytes: number;
}

/** Writes small values without end. */
export class Flood {
  commands = 0;
  private readonly connections: readonly Connection[];
  private readonly loops: Promise<void>[] = [];
  private readonly noise: Uint8Array;
  private isStopping = false;

  constructor(
    address: string,
    private readonly options: FloodOptions,
    private readonly failures: Failures,
  ) {
    this.noise = randomFillSync(new Uint8Array(64 * 1024 + options.valueBytes));
    this.connections = Array.from({ length: options.connections }, () => new Connection(address, failures));
  }

  start(): void {
    for (const connection of this.connections) {
      for (let i = 0; i < this.options.depth; i += 1) this.loops.push(this.run(connection));
    }
  }

  /** Every write has been answered. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.loops);
    for (const connection of this.connections) connection.close();
  }

  private async run(connection: Connection): Promise<void> {
    const { keys, valueBytes } = this.options;
    while (!this.isStopping) {
      const key = Buffer.from(`key-${Math.floor(Math.random() * keys)}`);
      const at = Math.floor(Math.random() * (this.noise.length - valueBytes));
      const value = this.noise.subarray(at, at + valueBytes);
      const { code, detail } = await connection.execute({ kind: 'set', key, value, contentType: '', ttlMs: 0 });
      if (code === '') this.commands += 1;
      else this.failures.add(`${code} ${detail}`);
    }
  }
}

/**
 * Clients that each write a value and read it back, at a fixed rate. Each key is written by one client, so a linearizable read has one
 * right answer. An operation that waits for the one before it has begun when it was due: a pause shows in all that it delayed.
 */
export class PacedClients {
  private latenciesUs: RecordableHistogram = createHistogram();
  private readonly connections: readonly Connection[];
  private readonly loops: Promise<void>[];
  private isStopping = false;

  constructor(
    address: string,
    clients: number,
    operationsPerSecond: number,
    private readonly failures: Failures,
  ) {
    this.connections = Array.from({ length: clients }, () => new Connection(address, failures));
    const everyMs = (1000 * clients) / operationsPerSecond;
    this.loops = this.connections.map((connection, i) => this.run(connection, i, everyMs));
  }

  /** The latencies since the last call, in microseconds. */
  takeLatencies(): RecordableHistogram {
    const taken = this.latenciesUs;
    this.latenciesUs = createHistogram();
    return taken;
  }

  /** Every operation has been answered. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.loops);
    for (const connection of this.connections) connection.close();
  }

  private async run(connection: Connection, client: number, everyMs: number): Promise<void> {
    const key = Buffer.from(`paced-${client}`);
    let dueMs = performance.now() + Math.random() * everyMs;
    for (let n = 1; !this.isStopping; n += 1) {
      const value = Buffer.from(`${client}-${n}`);
      dueMs = await this.timed(dueMs, everyMs, () =>
        connection.execute({ kind: 'set', key, value, contentType: '', ttlMs: 0 }),
      );
      dueMs = await this.timed(dueMs, everyMs, async () => {
        const result = await connection.execute({ kind: 'get', key });
        if (result.code === '' && !holds(result, value)) this.failures.add('a read without the last write');
        return result;
      });
    }
  }

  /** Returns when the next one is due. */
  private async timed(dueMs: number, everyMs: number, operation: () => Promise<Result>): Promise<number> {
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) await delay(earlyMs);
    const { code, detail } = await operation();
    this.latenciesUs.record(Math.max(1, Math.round(1000 * (performance.now() - dueMs))));
    if (code !== '') this.failures.add(`${code} ${detail}`);
    return dueMs + everyMs;
  }
}

function mayBeRepeated(result: Result): boolean {
  const { code } = result;
  return isErrorCode(code) && ERROR_TABLE[code].retryable && outcomeOfResult(result) === 'not_applied';
}

function holds(result: Result, value: Uint8Array): boolean {
  const answer = decodeAnswer(result.answer);
  return answer.kind === 'get' && answer.found && Buffer.compare(answer.record.value, value) === 0;
}
