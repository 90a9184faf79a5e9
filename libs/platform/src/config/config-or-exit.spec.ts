import { SampleConfig } from '../testing/sample-config.js';
import { configOrExit } from './config-or-exit.js';

const APP = { name: 'sample', describe: 'A sample of a process.', version: '1.2.3' };

class Exited extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

function run(argv: string[], env: Record<string, string> = {}) {
  const written = { stdout: '', stderr: '' };
  const self = {
    argv: ['node', 'main.js', ...argv],
    env,
    stdout: { write: (text: string) => (written.stdout += text) },
    stderr: { write: (text: string) => (written.stderr += text) },
    exit: (code: number): never => {
      throw new Exited(code);
    },
  };
  try {
    return { config: configOrExit(SampleConfig, APP, self), code: undefined, ...written };
  } catch (error) {
    if (error instanceof Exited) return { config: undefined, code: error.code, ...written };
    throw error;
  }
}

describe('configOrExit', () => {
  it('returns the config and prints nothing when all is right', () => {
    const { config, stdout, stderr } = run(['--node-id', 'n1']);
    expect(config?.nodeId).toBe('n1');
    expect(stdout + stderr).toBe('');
  });

  it('explains a wrong configuration on stderr and exits with 2', () => {
    expect(run(['--node-id', 'n1', '--listen', 'x'])).toEqual({
      config: undefined,
      code: 2,
      stdout: '',
      stderr:
        'sample: the configuration is wrong:\n' +
        '  listen = "x" (flag --listen): must be host:port, an IPv6 host in brackets ([::1]:7001), the port from 0 to 65535\n' +
        'See --help for all options.\n',
    });
  });

  it('answers --version, also when the configuration is wrong', () => {
    expect(run(['--version', '--listen', 'x'])).toMatchObject({ code: 0, stdout: 'sample 1.2.3\n', stderr: '' });
  });

  it.each(['--help', '-h'])(
    'answers %s with every option: meaning, unit, default, variable, who must agree',
    (flag) => {
      const { code, stdout } = run([flag]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: sample \[options\]\n\nA sample of a process\.\n/);
      for (const lines of [
        [
          '  --node-id <name>',
          '      The name of this process.',
          '      Default: none, must be given. [RINGRAFT_NODE_ID]',
        ],
        [
          '  --heartbeat-ms <ms>',
          '      How often it beats.',
          '      Default: 50. Must be the same for all nodes of a cluster. [RINGRAFT_HEARTBEAT_MS]',
        ],
        ['  --is-quick', '      Whether it is quick.', '      Default: true. [RINGRAFT_IS_QUICK]'],
        ['  --colours <name,...>', '      Colours.', '      Default: none. [RINGRAFT_COLOURS]'],
        ['  --sizes <number,...>', '      Sizes.', '      Default: 1,2. [RINGRAFT_SIZES]'],
        ['  --config <path>', '      A YAML or JSON file with options.', '      [RINGRAFT_CONFIG]'],
      ]) {
        expect(stdout).toContain(`${lines.join('\n')}\n`);
      }
      expect(stdout).toContain('  --log-level <level>\n');
    },
  );
});
