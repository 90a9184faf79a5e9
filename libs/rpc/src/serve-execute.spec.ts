import { Channel } from './channel.js';
import { successResult } from './execute-result.js';
import {
  KeyValueClient,
  KeyValueService,
  type ExecuteResponse,
  type KeyValueServer,
  type Operation,
  type Result,
} from './gen/kv.js';
import { serveExecute, type ExecuteHandler, type Respond, type ServeExecuteOptions } from './serve-execute.js';
import { startLoopbackServer, until, type LoopbackServer } from './testing/loopback-server.js';

describe('serveExecute', () => {
  let server: LoopbackServer;
  let channel: Channel;
  let handler: ExecuteHandler;
  let options: Partial<ServeExecuteOptions>;

  beforeEach(async () => {
    options = {};
    const service = {
      execute: (call) => serveExecute(call, handler, options),
      openSession: (_call, callback) => callback(new Error('not scripted')),
      get: (_call, callback) => callback(new Error('not scripted')),
      set: (_call, callback) => callback(new Error('not scripted')),
      delete: (_call, callback) => callback(new Error('not scripted')),
    } satisfies KeyValueServer;
    server = await startLoopbackServer((grpc) => grpc.addService(KeyValueService, service));
    channel = new Channel(server.address);
  });
  afterEach(() => {
    channel.close();
    server.kill();
  });

  function open() {
    const call = channel.client(KeyValueClient).execute();
    const frames: Result[][] = [];
    let hasEnded = false;
    call.on('data', (response: ExecuteResponse) => frames.push(response.results));
    call.on('error', () => undefined);
    call.on('status', () => (hasEnded = true));
    return {
      call,
      frames,
      results: () => frames.flat(),
      hasEnded: () => hasEnded,
      send: (ids: readonly number[], command = 'x') =>
        call.write({ operations: ids.map((id) => operation(id, command)) }),
    };
  }
  const operation = (id: number, command: string): Operation => ({
    id,
    command: Buffer.from(command),
    forward: false,
    timeoutMs: 0,
    consistency: 0,
  });

  it('sends the results of one turn in one frame, with the ids of their operations', async () => {
    const waiting: { id: number; respond: Respond }[] = [];
    handler = {
      handle: ({ id }, respond) => {
        waiting.push({ id, respond });
        if (waiting.length === 3) for (const each of waiting) each.respond(successResult(Buffer.from(`r${each.id}`)));
      },
      failed: (error) => expect(error).toBeUndefined(),
    };
    const client = open();
    client.send([11, 22]);
    client.send([33]);
    await until(() => client.results().length === 3);
    expect(client.frames).toHaveLength(1);
    expect(client.results().map(({ id, answer }) => [id, answer.toString()])).toEqual([
      [11, 'r11'],
      [22, 'r22'],
      [33, 'r33'],
    ]);
  });

  it('answers INTERNAL when the handler throws, reports it, and goes on', async () => {
    const failures: unknown[] = [];
    handler = {
      handle: ({ id }, respond) => {
        if (id === 1) throw new Error('scripted');
        respond(successResult(Buffer.from('ok')));
      },
      failed: (error) => failures.push(error),
    };
    const client = open();
    client.send([1, 2]);
    await until(() => client.results().length === 2);
    expect(client.results().map(({ code }) => code)).toEqual(['INTERNAL', '']);
    expect(failures).toEqual([new Error('scripted')]);
  });

  it('takes only the first answer', async () => {
    handler = {
      handle: (_operation, respond) => {
        respond(successResult(Buffer.from('first')));
        respond(successResult(Buffer.from('second')));
      },
      failed: () => undefined,
    };
    const client = open();
    client.send([1]);
    client.call.end();
    await until(client.hasEnded);
    expect(client.results().map(({ answer }) => answer.toString())).toEqual(['first']);
  });

  it('stops reading while as much is pending as may be, and goes on after', async () => {
    const waiting: Respond[] = [];
    options = { pendingOperationsMax: 4 };
    handler = { handle: (_operation, respond) => waiting.push(respond), failed: () => undefined };
    const client = open();
    for (let id = 1; id <= 1_000; id += 1) client.send([id]);
    await until(() => waiting.length >= 4);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    // One frame may have been read ahead; the rest stays with the caller.
    expect(waiting.length).toBeLessThanOrEqual(5);
    let answered = 0;
    while (client.results().length < 1_000) {
      for (; answered < waiting.length; answered += 1) waiting[answered]?.(successResult(Buffer.from('ok')));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(waiting).toHaveLength(1_000);
  });

  it('splits answers that are too large for one frame', async () => {
    options = { frameBytesMax: 1_000 };
    handler = { handle: (_operation, respond) => respond(successResult(Buffer.alloc(600))), failed: () => undefined };
    const client = open();
    client.send([1, 2, 3]);
    await until(() => client.results().length === 3);
    expect(client.frames.map((frame) => frame.length)).toEqual([1, 1, 1]);
  });

  it('answers what is pending after the caller has ended its side, and then ends', async () => {
    const waiting: Respond[] = [];
    handler = { handle: (_operation, respond) => waiting.push(respond), failed: () => undefined };
    const client = open();
    client.send([1, 2]);
    client.call.end();
    await until(() => waiting.length === 2);
    expect(client.hasEnded()).toBe(false);
    for (const respond of waiting) respond(successResult(Buffer.from('ok')));
    await until(client.hasEnded);
    expect(client.results()).toHaveLength(2);
  });

  it('takes answers for a stream that is gone without complaint', async () => {
    const waiting: Respond[] = [];
    let isGone = false;
    const original = handler;
    handler = { ...original, handle: (_operation, respond) => waiting.push(respond), failed: () => undefined };
    const client = open();
    client.send([1]);
    await until(() => waiting.length === 1);
    client.call.cancel();
    client.call.on('status', () => (isGone = true));
    await until(() => isGone);
    expect(() => waiting[0]?.(successResult(Buffer.from('late')))).not.toThrow();
  });

  it('makes large results only as fast as the caller takes them', async () => {
    const bytes = 256 * 1024;
    const count = 160;
    let made = 0;
    const make = () => {
      made += 1;
      return successResult(Buffer.alloc(bytes));
    };
    handler = { handle: (_operation, respond) => respond(make), failed: (error) => expect(error).toBeUndefined() };
    options = { frameBytesMax: 1024 * 1024, untakenBytesMax: 2 * 1024 * 1024 };
    const call = channel.client(KeyValueClient).execute();
    const ids: number[] = [];
    let isPatient = true;
    call.on('error', () => undefined);
    call.on('data', ({ results }: ExecuteResponse) => {
      ids.push(...results.map(({ id }) => id));
      if (isPatient) call.pause();
    });
    call.write({ operations: Array.from({ length: count }, (_, id) => operation(id, 'x')) });
    await until(() => ids.length > 0);
    let before: number;
    do {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } while (made > before);
    // What is untaken, what the windows of the connection hold, and what the caller has read ahead.
    expect(made * bytes).toBeLessThan(20 * 1024 * 1024);
    isPatient = false;
    call.resume();
    await until(() => ids.length === count);
    expect(ids).toEqual(Array.from({ length: count }, (_, id) => id));
    call.cancel();
  });

  it('answers INTERNAL when a result can not be made, reports it, and goes on', async () => {
    const failures: unknown[] = [];
    handler = {
      handle: ({ id }, respond) =>
        respond(() => {
          if (id === 1) throw new Error('scripted');
          return successResult(Buffer.from('ok'));
        }),
      failed: (error) => failures.push(error),
    };
    const client = open();
    client.send([1, 2]);
    await until(() => client.results().length === 2);
    expect(client.results().map(({ id, code }) => [id, code])).toEqual([
      [1, 'INTERNAL'],
      [2, ''],
    ]);
    expect(failures).toEqual([new Error('scripted')]);
  });
});
