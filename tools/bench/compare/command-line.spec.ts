import { parseCommandLine } from './command-line.js';

const SILENT = { writeErr: () => undefined, writeOut: () => undefined };

describe('the command line of the benchmark', () => {
  it('compares both of ours with everything else unless told otherwise', () => {
    expect(parseCommandLine([])).toMatchObject({
      suite: ['load'],
      targets: ['ringraft-1x3', 'ringraft-3x3', 'etcd', 'redis', 'echo'],
      connections: [1, 16, 64, 256],
      warmUp: 60,
    });
  });

  it('takes lists', () => {
    expect(
      parseCommandLine(['--work', 'put,mixed', '--connections', '1, 64', '--targets', 'ringraft-2x3,etcd']),
    ).toMatchObject({ work: ['put', 'mixed'], connections: [1, 64], targets: ['ringraft-2x3', 'etcd'] });
  });

  it.each([
    ['--work', 'delete'],
    ['--connections', '0'],
    ['--targets', 'ringraft-3'],
    ['--turns', '1.5'],
    ['--warm-up', '0'],
    ['--suite', 'all'],
  ])('refuses %s %s', (flag, value) => {
    expect(() => parseCommandLine([flag, value], SILENT)).toThrow(value);
  });
});
