import { EventEmitter } from 'node:events';
import { logLines } from '../testing/log-lines.js';
import { exitOnFatalErrors } from './exit-on-fatal-errors.js';
import { exitWithParent } from './exit-with-parent.js';
import { stopOnSignals } from './stop-on-signals.js';

class FakeProcess extends EventEmitter {
  readonly exits: number[] = [];
  readonly exited = new Promise<number>((resolve) => this.once('exit', resolve));

  exit(code: number): void {
    this.exits.push(code);
    this.emit('exit', code);
  }
}

describe('stopOnSignals', () => {
  const timeoutMs = 60_000;

  it.each(['SIGTERM', 'SIGINT'])('closes the app on %s with all its hooks and exits with 0', async (signal) => {
    const self = new FakeProcess();
    const { log, lines } = logLines();
    const closed: (string | undefined)[] = [];
    stopOnSignals({ close: (reason) => Promise.resolve(void closed.push(reason)) }, log, timeoutMs, self);
    self.emit(signal, signal);
    expect(await self.exited).toBe(0);
    expect(closed).toEqual([signal]);
    expect(lines.map(({ msg }) => msg)).toEqual(['stopping', 'stopped']);
  });

  it('exits with 1 when closing fails', async () => {
    const self = new FakeProcess();
    const { log, lines } = logLines();
    stopOnSignals({ close: () => Promise.reject(new Error('disk is gone')) }, log, timeoutMs, self);
    self.emit('SIGTERM', 'SIGTERM');
    expect(await self.exited).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: 'error', err: { message: 'disk is gone' } });
  });

  it('exits with 1 when closing takes too long', async () => {
    const self = new FakeProcess();
    const { log, lines } = logLines();
    stopOnSignals({ close: () => new Promise(() => undefined) }, log, 10, self);
    self.emit('SIGTERM', 'SIGTERM');
    expect(await self.exited).toBe(1);
    expect(lines.at(-1)).toMatchObject({ msg: 'could not stop in time', timeoutMs: 10 });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('exits at once on a second signal %s with %i, and closes only once', async (signal, code) => {
    const self = new FakeProcess();
    let finish!: () => void;
    let closings = 0;
    const close = (): Promise<void> => {
      closings++;
      return new Promise((resolve) => (finish = resolve));
    };
    stopOnSignals({ close }, logLines().log, timeoutMs, self);
    self.emit('SIGTERM', 'SIGTERM');
    self.emit(signal, signal);
    expect(await self.exited).toBe(code);
    expect(closings).toBe(1);
    finish();
  });
});

describe('exitOnFatalErrors', () => {
  it.each(['uncaughtException', 'unhandledRejection'])('logs an %s and exits with 1', (event) => {
    const self = new FakeProcess();
    const { log, lines } = logLines();
    exitOnFatalErrors(log, self);
    self.emit(event, new Error('broken'));
    expect(self.exits).toEqual([1]);
    expect(lines[0]).toMatchObject({ level: 'fatal', event, err: { message: 'broken' } });
  });

  it('takes rejections with anything', () => {
    const self = new FakeProcess();
    const { log, lines } = logLines();
    exitOnFatalErrors(log, self);
    self.emit('unhandledRejection', 'just text');
    expect(lines[0]).toMatchObject({ err: { message: 'just text' } });
  });
});

describe('exitWithParent', () => {
  it.each(['end', 'close', 'error'])('asks the own process to stop when stdin has its %s, once', (event) => {
    const stdin = Object.assign(new EventEmitter(), { resumed: 0, resume: () => stdin.resumed++ });
    const kills: [number, string][] = [];
    exitWithParent({ pid: 42, stdin, kill: (pid, signal) => kills.push([pid, signal]) });
    expect(stdin.resumed).toBe(1);
    expect(kills).toEqual([]);
    stdin.emit(event);
    stdin.emit('close');
    expect(kills).toEqual([[42, 'SIGTERM']]);
  });
});
