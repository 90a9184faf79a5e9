import { CommanderError } from 'commander';
import { parseCommandLine } from './command-line.js';

function parse(...argv: string[]) {
  let printed = '';
  const write = (text: string): void => void (printed += text);
  try {
    return { options: parseCommandLine(argv, '1.2.3', { writeOut: write, writeErr: write }), printed };
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: error.exitCode, printed };
    throw error;
  }
}

describe('parseCommandLine', () => {
  it('starts three clusters of three nodes and a gateway unless told otherwise', () => {
    expect(parse()).toEqual({
      options: {
        clusters: 3,
        nodes: 3,
        gateways: 1,
        port: 8080,
        grpcPort: 7001,
        opsPort: 7101,
        dataDir: 'data',
        fresh: false,
        logLevel: 'info',
      },
      printed: '',
    });
  });

  it('takes every flag', () => {
    const { options } = parse(
      ...['--clusters', '5', '--nodes=1', '--gateways=2', '--port=80', '--grpc-port=1000', '--ops-port=2000'],
      ...['--data-dir', '/srv/x', '--fresh', '--log-level=debug'],
    );
    expect(options).toEqual({
      clusters: 5,
      nodes: 1,
      gateways: 2,
      port: 80,
      grpcPort: 1000,
      opsPort: 2000,
      dataDir: '/srv/x',
      fresh: true,
      logLevel: 'debug',
    });
  });

  it.each([
    [['--clusters=0'], "'--clusters <count>' argument '0' is invalid. It must be a whole number from 1 to 100."],
    [['--nodes=three'], 'It must be a whole number from 1 to 9.'],
    [['--nodes=-1'], 'It must be a whole number from 1 to 9.'],
    [['--gateways=1.5'], 'It must be a whole number from 1 to 10.'],
    [['--port=65536'], 'It must be a whole number from 1 to 65535.'],
    [['--port'], "option '--port <port>' argument missing"],
    [['--log-level=loud'], 'Allowed choices are fatal, error, warn, info, debug, trace, silent.'],
    [['--clusters=50', '--nodes=3'], '50 clusters of 3 are 150 nodes: at most 100'],
    [['--grpc-port=7100', '--ops-port=7101'], '--grpc-port 7100 (9 ports) and --ops-port 7101 (9) overlap'],
    [['--port=7009'], '--port 7009 (1 ports) and --grpc-port 7001 (9) overlap'],
    [['--ops-port=65535'], '--ops-port 65535 leaves no room for 9 ports'],
    [['--wipe'], "unknown option '--wipe'"],
    [['now'], 'too many arguments'],
  ])('refuses %j and says what is allowed', (argv, reason) => {
    const { exitCode, printed } = parse(...argv);
    expect(exitCode).toBe(1);
    expect(printed).toContain(reason);
    expect(printed).toContain('(--help lists all options)');
  });

  it('answers --help and --version', () => {
    const { exitCode, printed } = parse('--help');
    expect(exitCode).toBe(0);
    for (const flag of ['--clusters', '--nodes', '--port', '--data-dir', '--fresh']) expect(printed).toContain(flag);
    expect(parse('--version')).toEqual({ exitCode: 0, printed: '1.2.3\n' });
  });
});
