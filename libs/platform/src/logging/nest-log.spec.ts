import { Logger } from '@nestjs/common';
import { logLines } from '../testing/log-lines.js';
import { NestLog } from './nest-log.js';

describe('NestLog', () => {
  it.each([
    ['log', 'info'],
    ['error', 'error'],
    ['warn', 'warn'],
    ['debug', 'debug'],
    ['verbose', 'trace'],
    ['fatal', 'fatal'],
  ] as const)('writes %s as %s, with the class that speaks', (method, level) => {
    const { log, lines } = logLines();
    new NestLog(log)[method]('hello', 'FsmModule');
    expect(lines).toEqual([{ level, node: 'c1-n1', context: 'FsmModule', msg: 'hello' }]);
  });

  it('keeps what Nest tells about its own wiring for debugging', () => {
    const { log, lines } = logLines();
    new NestLog(log).log('FsmModule dependencies initialized', 'InstanceLoader');
    expect(lines[0]).toMatchObject({ level: 'debug', context: 'InstanceLoader' });
  });

  it('takes errors, objects, and the stack that the Logger of Nest passes on', () => {
    const { log, lines } = logLines();
    const target = new NestLog(log);
    Logger.overrideLogger(target);
    new Logger('Router').error('failed', 'at somewhere');
    target.error(new Error('broken'));
    target.log({ a: 1 });
    expect(lines).toMatchObject([
      { level: 'error', context: 'Router', stack: 'at somewhere', msg: 'failed' },
      { level: 'error', err: { message: 'broken' }, msg: 'broken' },
      { level: 'info', msg: '{"a":1}' },
    ]);
  });
});
