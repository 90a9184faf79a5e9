import { EventEmitter } from 'node:events';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Channel } from './channel.js';
import { successResult } from './execute-result.js';
import { ExecuteStream, type ExecuteStreamOptions } from './execute-stream.js';
import { KeyValueService, Outcome, type ExecuteRequest, type ExecuteResponse, type Operation } from './gen/kv.js';
import { startLoopbackServer, unusedPort, until, type LoopbackServer } from './testing/loopback-server.js';

type ServerCall = ServerDuplexStream<ExecuteRequest, ExecuteResponse>;

/** A node that records frames and answers only when told to. */
class ScriptedNode {
  readonly calls: ServerCall[] = [];
  readonly frames: Operation[][] = [];
  onFrame: (operations: Operation[], call: ServerCall) => void = () => undefined;
  server!: LoopbackServer;

  async start(port?: number): Promise<this> {
    const refuse = (_call: unknown, callback: (error: Error) => void) => callback(new Error('not scripted'));
    this.server = await startLoopbackServer(
      (grpc) =>
        grpc.addService(KeyValueService, {
          get: refuse,
          set: refuse,
          delete: refuse,
          execute: (call: ServerCall) => {
            this.calls.push(call);
            call.on('error', () => undefined);
            call.on('data', (request: ExecuteRequest) => {
              this.frames.push(request.operations);
              this.onFrame(request.operations, call);
            });
            call.on('end', () => call.end());
          },
        }),
      port,
    );
    return this;
  }

  echo = (operations: Operation[], call: ServerCall) => {
    call.write({ results: operations.map(({ id, command }) => ({ ...successResult(command), id })) });
  };

  get operations(): Operation[] {
    return this.frames.flat();
  }
}

const text = (value: string) => new TextEncoder().encode(value);

describe('ExecuteStream', () => {
  const cleanups: (() => void)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0).reverse()) cleanup();
  });

  function streamTo(address: string, options?: Partial<ExecuteStreamOptions>): ExecuteStream {
    const channel = new Channel(address);
    const stream = new ExecuteStream(channel, options);
    cleanups.push(
      () => channel.close(),
      () => stream.close(),
    );
    return stream;
  }

  async function startNode(port?: number): Promise<ScriptedNode> {
    const node = await new ScriptedNode().start(port);
    cleanups.push(() => node.server.kill());
    return node;
  }

  const ask = (stream: ExecuteStream, command = 'x', timeoutMs = 5_000) =>
    stream.execute({ command: text(command), timeoutMs });

  it('sends what is asked for in one turn of the event loop in one frame, and gives each its answer', async () => {
    const node = await startNode();
    node.onFrame = node.echo;
    const stream = streamTo(node.server.address);
    const commands = Array.from({ length: 100 }, (_, i) => `command ${i}`);
    const results = await Promise.all(commands.map((command) => ask(stream, command)));
    expect(results.map((result) => result.answer.toString())).toEqual(commands);
    expect(results.every((result) => result.code === '' && result.outcome === Outcome.APPLIED)).toBe(true);
    expect(node.frames).toHaveLength(1);
  });

  it('matches answers that come in another order and in other frames', async () => {
    const node = await startNode();
    node.onFrame = (operations, call) => {
      for (const operation of [...operations].reverse()) node.echo([operation], call);
    };
    const stream = streamTo(node.server.address);
    const results = await Promise.all(['a', 'b', 'c'].map((command) => ask(stream, command)));
    expect(results.map((result) => result.answer.toString())).toEqual(['a', 'b', 'c']);
  });

  it('keeps one frame in flight: what comes meanwhile collects and leaves with the first result', async () => {
    const node = await startNode();
    const stream = streamTo(node.server.address, { frameHoldMs: 60_000 });
    const first = [ask(stream, 'a'), ask(stream, 'b')];
    await until(() => node.frames.length === 1);
    const later: Promise<unknown>[] = [];
    for (const command of ['c', 'd', 'e']) {
      later.push(ask(stream, command));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(node.frames).toHaveLength(1);

    const [a, b] = node.frames[0] ?? [];
    node.onFrame = node.echo;
    if (a) node.echo([a], node.calls[0]!);
    await Promise.all([first[0], ...later]);
    expect(node.frames.map((frame) => frame.map(({ command }) => command.toString()))).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    if (b) node.echo([b], node.calls[0]!);
    expect((await first[1])?.code).toBe('');
  });

  describe('with overlapsWork', () => {
    const namesOf = (frame: Operation[] | undefined): string[] =>
      (frame ?? []).map(({ command }) => command.toString());

    it('sends no more than half of what is outstanding in one frame, so that the two halves take turns', async () => {
      const node = await startNode();
      const stream = streamTo(node.server.address, { frameHoldMs: 60_000, overlapsWork: true });
      const names = Array.from({ length: 40 }, (_, i) => `${i}`);
      const results = Promise.all(names.map((name) => ask(stream, name)));
      await until(() => node.frames.length === 1);
      expect(namesOf(node.frames[0])).toEqual(names.slice(0, 20));

      node.onFrame = node.echo;
      node.echo(node.frames[0]!, node.calls[0]!);
      expect((await results).map(({ answer }) => answer.toString())).toEqual(names);
      expect(node.frames.map((frame) => frame.length)).toEqual([20, 20]);
    });

    it('does not halve a few', async () => {
      const node = await startNode();
      node.onFrame = node.echo;
      const stream = streamTo(node.server.address, { overlapsWork: true });
      await Promise.all(Array.from({ length: 8 }, (_, i) => ask(stream, `${i}`)));
      expect(node.frames.map((frame) => frame.length)).toEqual([8]);
    });

    it.each([true, false])('gives results only after the next frame was written: %s', async (overlapsWork) => {
      const events: string[] = [];
      const call = Object.assign(new EventEmitter(), {
        cancel: () => undefined,
        write: ({ operations }: ExecuteRequest, written: () => void) => {
          events.push(`frame of ${operations.length}`);
          setImmediate(written);
          if (events.length > 1) return;
          // Later than `written`, as an answer is.
          setTimeout(() => {
            const results = operations.map(({ id, command }) => ({ ...successResult(command), id }));
            call.emit('data', { results });
          }, 20);
        },
      });
      const channel = {
        address: 'nowhere',
        whenConnected: (_timeoutMs: number, tell: (isConnected: boolean) => void) => tell(true),
        client: () => ({ execute: () => call }),
      } as unknown as Channel;
      const stream = new ExecuteStream(channel, { frameHoldMs: 60_000, overlapsWork, frameOperationsMax: 10 });
      cleanups.push(() => stream.close());
      const asked = Array.from({ length: 20 }, () => ask(stream).then(() => events.push('result')));
      await Promise.all(asked.slice(0, 10));
      await until(() => events.includes('frame of 10', 1));
      const firstResult = events.indexOf('result');
      expect(events.lastIndexOf('frame of 10') < firstResult).toBe(overlapsWork);
    });
  });

  it('does not let an operation that never ends hold the others back', async () => {
    const node = await startNode();
    const stream = streamTo(node.server.address, { frameHoldMs: 20 });
    const stuck = ask(stream, 'stuck', 60_000);
    await until(() => node.frames.length === 1);
    node.onFrame = node.echo;
    expect((await ask(stream, 'quick')).code).toBe('');
    stream.close();
    expect((await stuck).code).toBe('OUTCOME_UNKNOWN');
  });

  it('splits what does not fit into a frame, by count and by bytes', async () => {
    const node = await startNode();
    node.onFrame = node.echo;
    const stream = streamTo(node.server.address, { frameOperationsMax: 3, frameBytesMax: 1_000 });
    const sizes = [1, 1, 1, 1, 600, 600, 5_000, 1];
    const results = await Promise.all(sizes.map((size) => ask(stream, 'x'.repeat(size))));
    expect(results.map((result) => result.answer.length)).toEqual(sizes);
    expect(node.frames.map((frame) => frame.map(({ command }) => command.length))).toEqual([
      [1, 1, 1],
      [1, 600],
      [600],
      [5_000],
      [1],
    ]);
  });

  it('tells the node how much time is left', async () => {
    const node = await startNode();
    node.onFrame = node.echo;
    await ask(streamTo(node.server.address), 'x', 3_000);
    expect(node.operations[0]?.timeoutMs).toBeLessThanOrEqual(3_000);
    expect(node.operations[0]?.timeoutMs).toBeGreaterThan(0);
  });

  it('answers NODE_UNREACHABLE, not applied, when nothing listens', async () => {
    const stream = streamTo(`127.0.0.1:${await unusedPort()}`);
    const result = await ask(stream);
    expect(result).toMatchObject({ code: 'NODE_UNREACHABLE', outcome: Outcome.NOT_APPLIED });
  });

  it('when the node dies: what was written is unknown, what was not is not applied', async () => {
    const node = await startNode();
    const stream = streamTo(node.server.address, { frameHoldMs: 60_000 });
    const written = ask(stream, 'written');
    await until(() => node.frames.length === 1);
    const queued = ask(stream, 'queued');
    node.server.kill();
    expect(await written).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: Outcome.UNKNOWN });
    expect(await queued).toMatchObject({ code: 'NODE_UNREACHABLE', outcome: Outcome.NOT_APPLIED });
    expect(node.operations).toHaveLength(1);
  });

  it('finds a node again that came back on its port', async () => {
    const node = await startNode();
    node.onFrame = node.echo;
    const stream = streamTo(node.server.address);
    expect((await ask(stream)).code).toBe('');
    node.server.kill();
    await until(() => node.calls.every((call) => call.cancelled || call.destroyed));
    const successor = await startNode(node.server.port);
    successor.onFrame = successor.echo;
    let result = await ask(stream);
    while (result.code !== '') {
      await new Promise((resolve) => setTimeout(resolve, 5));
      result = await ask(stream);
    }
    expect(successor.operations.length).toBeGreaterThanOrEqual(1);
  });

  it('opens the stream again after the node ended it in good order', async () => {
    const node = await startNode();
    node.onFrame = (operations, call) => {
      node.echo(operations, call);
      call.end();
    };
    const stream = streamTo(node.server.address);
    expect((await ask(stream)).code).toBe('');
    let result = await ask(stream);
    while (result.code !== '') result = await ask(stream);
    expect(node.calls.length).toBeGreaterThanOrEqual(2);
  });

  it('backs off from a node that breaks every stream', async () => {
    const node = await startNode();
    node.onFrame = (_operations, call) => call.emit('error', new Error('scripted'));
    const stream = streamTo(node.server.address, { reopenDelayMs: 60_000, reopenDelayMaxMs: 60_000 });
    expect((await ask(stream)).code).toBe('OUTCOME_UNKNOWN');
    expect((await ask(stream)).code).toBe('OUTCOME_UNKNOWN');
    for (let i = 0; i < 10; i += 1) expect((await ask(stream)).code).toBe('NODE_UNREACHABLE');
    expect(node.calls).toHaveLength(2);
  });

  it('ends what was not written by its deadline as not applied, what was as unknown', async () => {
    const node = await startNode();
    const stream = streamTo(node.server.address, { frameHoldMs: 60_000 });
    const written = ask(stream, 'written', 3_000);
    await until(() => node.frames.length === 1);
    const queued = ask(stream, 'queued', 30);
    expect(await queued).toMatchObject({ code: 'TIMED_OUT', outcome: Outcome.NOT_APPLIED });
    expect(await written).toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: Outcome.UNKNOWN });
    node.onFrame = node.echo;
    expect((await ask(stream, 'next')).answer.toString()).toBe('next');
    expect(node.operations.map(({ command }) => command.toString())).toEqual(['written', 'next']);
  });

  it('ignores an answer that comes after the deadline', async () => {
    const node = await startNode();
    const stream = streamTo(node.server.address);
    // Long enough for a busy machine to connect and to write.
    expect((await ask(stream, 'late', 2_000)).code).toBe('OUTCOME_UNKNOWN');
    node.echo(node.operations, node.calls[0]!);
    node.onFrame = node.echo;
    expect((await ask(stream, 'next')).answer.toString()).toBe('next');
  });

  it('refuses with OVERLOADED what is beyond its bounds, by count and by bytes', async () => {
    const node = await startNode();
    const byCount = streamTo(node.server.address, { pendingOperationsMax: 2 });
    const accepted = [ask(byCount), ask(byCount)];
    expect(await ask(byCount)).toMatchObject({ code: 'OVERLOADED', outcome: Outcome.NOT_APPLIED });
    const byBytes = streamTo(node.server.address, { pendingBytesMax: 1_000 });
    expect((await ask(byBytes, 'x'.repeat(2_000))).code).toBe('OVERLOADED');

    await until(() => node.frames.length === 1);
    node.onFrame = node.echo;
    node.echo(node.operations, node.calls[0]!);
    await Promise.all(accepted);
    expect((await ask(byCount)).code).toBe('');
  });

  it('close() ends everything: not written as SHUTTING_DOWN, written as unknown', async () => {
    const node = await startNode();
    const stream = streamTo(node.server.address, { frameHoldMs: 60_000 });
    const written = ask(stream, 'written');
    await until(() => node.frames.length === 1);
    const queued = ask(stream, 'queued');
    stream.close();
    expect((await written).code).toBe('OUTCOME_UNKNOWN');
    expect((await queued).code).toBe('SHUTTING_DOWN');
    expect((await ask(stream)).code).toBe('SHUTTING_DOWN');
    await until(() => node.calls[0]?.cancelled === true);
  });

  it('ends every one of thousands of operations while the node keeps dying', async () => {
    const node = await startNode();
    let frames = 0;
    node.onFrame = (operations, call) => {
      frames += 1;
      if (frames % 5 === 0) call.emit('error', new Error('scripted'));
      else node.echo(operations, call);
    };
    const stream = streamTo(node.server.address, { reopenDelayMs: 1, frameOperationsMax: 7 });
    let ended = 0;
    const client = async () => {
      for (let i = 0; i < 100; i += 1) {
        const result = await ask(stream, `v${i}`);
        expect(['', 'OUTCOME_UNKNOWN', 'NODE_UNREACHABLE']).toContain(result.code);
        ended += 1;
      }
    };
    await Promise.all(Array.from({ length: 30 }, client));
    expect(ended).toBe(3_000);
  });
});
