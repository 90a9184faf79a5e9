import { logLines } from '../testing/log-lines.js';
import { createLog } from './log.js';

describe('createLog', () => {
  it('writes JSON: level by name, the fields of the process, those of the event, the message', () => {
    const { log, lines } = logLines();
    log.info({ term: 3 }, 'became leader');
    expect(lines).toEqual([{ level: 'info', node: 'c1-n1', term: 3, msg: 'became leader' }]);
  });

  it('has on each line what changes, as it then is; what the event says of it goes before', () => {
    const lines: unknown[] = [];
    let term = 3;
    const destination = { write: (line: string) => void lines.push((JSON.parse(line) as { term: number }).term) };
    const log = createLog({ level: 'info', fields: {}, changing: () => ({ term }), destination });
    log.info('one');
    term = 4;
    log.info('two');
    log.info({ term: 9 }, 'three');
    expect(lines).toEqual([3, 4, 9]);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = logLines('warn');
    log.info('no');
    log.warn('yes');
    expect(lines.map(({ msg }) => msg)).toEqual(['yes']);
  });

  it.each(['value', 'body', 'command', 'answer', 'data', 'entries'])('never shows a field named %s', (field) => {
    const { log, lines } = logLines();
    log.info({ [field]: 'secret', request: { [field]: 'secret', key: 'k' } }, 'done');
    expect(JSON.stringify(lines)).not.toContain('secret');
    expect(lines[0]).toMatchObject({ [field]: '[not logged]', request: { [field]: '[not logged]', key: 'k' } });
  });

  it('writes the stack of an error under err', () => {
    const { log, lines } = logLines();
    log.error({ err: new Error('broken') }, 'failed');
    expect(lines[0]).toMatchObject({ err: { message: 'broken', stack: expect.stringContaining('broken') as unknown } });
  });
});
