import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SampleConfig } from '../testing/sample-config.js';
import { ConfigError } from './config-error.js';
import { type ConfigInput, loadConfig } from './load-config.js';
import { Option, optionsOf } from './option.js';

const NAMED = { RINGRAFT_NODE_ID: 'n1' };

function faultsOf(input: ConfigInput): readonly string[] {
  try {
    loadConfig(SampleConfig, input);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringraft-config-'));
  let count = 0;

  function file(content: string): string {
    const path = join(directory, `${++count}.yaml`);
    writeFileSync(path, content);
    return path;
  }

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('takes defaults from the class, also from its base class', () => {
    expect(loadConfig(SampleConfig, { env: NAMED })).toEqual({
      nodeId: 'n1',
      listen: '127.0.0.1:7001',
      heartbeatMs: 50,
      electionTimeoutMs: 500,
      isQuick: true,
      sizes: [1, 2],
      logLevel: 'info',
      reroutes: {},
      shutdownTimeoutMs: 10_000,
      exitWithParent: false,
    });
    expect(loadConfig(SampleConfig, { env: NAMED })).toBeInstanceOf(SampleConfig);
  });

  it('prefers a flag to the environment, that to the file, and that to the default', () => {
    const path = file('heartbeatMs: 11\nelectionTimeoutMs: 22\nlogLevel: warn\nisQuick: false\n');
    const config = loadConfig(SampleConfig, {
      argv: ['--config', path, '--heartbeat-ms', '33'],
      env: { ...NAMED, RINGRAFT_HEARTBEAT_MS: '44', RINGRAFT_ELECTION_TIMEOUT_MS: '55' },
    });
    expect(config).toMatchObject({ heartbeatMs: 33, electionTimeoutMs: 55, logLevel: 'warn', isQuick: false });
    expect(config.listen).toBe('127.0.0.1:7001');
  });

  it('finds the file by flag before environment, and reads JSON too', () => {
    const json = file('{ "nodeId": "from-json", "colours": ["red"], "sizes": "3,4" }');
    const yaml = file('nodeId: from-yaml');
    const env = { RINGRAFT_CONFIG: yaml };
    expect(loadConfig(SampleConfig, { env }).nodeId).toBe('from-yaml');
    expect(loadConfig(SampleConfig, { argv: [`--config=${json}`], env })).toMatchObject({
      nodeId: 'from-json',
      colours: ['red'],
      sizes: [3, 4],
    });
  });

  it.each([
    [['--exit-with-parent'], true],
    [['--exit-with-parent=true'], true],
    [['--exit-with-parent', '--exit-with-parent=false'], false],
    [['--exit-with-parent', '--no-exit-with-parent'], false],
  ])('reads the boolean flags %j as %j', (argv, value) => {
    expect(loadConfig(SampleConfig, { argv, env: NAMED }).exitWithParent).toBe(value);
  });

  it('counts an empty variable as not set', () => {
    expect(loadConfig(SampleConfig, { env: { ...NAMED, RINGRAFT_LISTEN: '', RINGRAFT_CONFIG: '' } }).listen).toBe(
      '127.0.0.1:7001',
    );
  });

  it('names every wrong value at once: field, value, where it came from, and what is allowed', () => {
    const path = file('shutdownTimeoutMs: 0\nisQuick: maybe\nelectionTimeoutMs: soon\nlogLevel: 3\n');
    expect(
      faultsOf({
        argv: ['--config', path, '--heartbeat-ms', '5.5', '--node-id', 'N 1'],
        env: { RINGRAFT_LISTEN: 'nowhere', RINGRAFT_COLOURS: 'red;blue', RINGRAFT_SIZES: '1,10' },
      }),
    ).toEqual([
      'electionTimeoutMs = "soon" (file ' + path + '): must be a number (ms)',
      'isQuick = "maybe" (file ' + path + '): must be true or false',
      'colours = "red;blue" (environment RINGRAFT_COLOURS): must be names with commas between them',
      'logLevel = 3 (file ' + path + '): must be a text',
      'nodeId = "N 1" (flag --node-id): must be lower-case letters, digits and dashes',
      'listen = "nowhere" (environment RINGRAFT_LISTEN): must be host:port, an IPv6 host in brackets ([::1]:7001), the port from 0 to 65535',
      'heartbeatMs = "5.5" (flag --heartbeat-ms): must not be less than 10; must be an integer number',
      'sizes = "1,10" (environment RINGRAFT_SIZES): each value in must not be greater than 9',
      'shutdownTimeoutMs = 0 (file ' + path + '): must not be less than 1',
    ]);
  });

  it.each(['', '1e3', '0x10', ' 5', '5ms', 'NaN', 'Infinity', '1,000'])('does not take %j for a number', (text) => {
    expect(faultsOf({ argv: [`--heartbeat-ms=${text}`], env: NAMED })).toEqual([
      `heartbeatMs = ${JSON.stringify(text)} (flag --heartbeat-ms): must be a number (ms)`,
    ]);
  });

  it('says what is missing, and how to give it', () => {
    expect(faultsOf({})).toEqual(['nodeId is missing: give it by --node-id, RINGRAFT_NODE_ID or in the file']);
  });

  it('refuses unknown flags, arguments and flags without a value, and suggests what was meant', () => {
    expect(faultsOf({ argv: ['--listne', 'x', '--quorum', '--node-id', '--no-listen', '-v'], env: NAMED })).toEqual([
      'unknown flag --listne: did you mean --listen?',
      'unexpected argument "x": only flags are allowed, see --help',
      'unknown flag --quorum, see --help',
      '--node-id needs a value',
      'unknown flag -v, see --help',
    ]);
    expect(faultsOf({ argv: ['--heartbeat-ms'], env: NAMED })).toEqual(['--heartbeat-ms needs a value']);
    expect(faultsOf({ argv: ['--config'], env: NAMED })).toEqual([
      '--config needs a value: the path of a YAML or JSON file',
    ]);
  });

  it('refuses unknown keys in the file, and suggests the field', () => {
    const path = file('heartbeat-ms: 50\nraft: {}\n');
    expect(faultsOf({ argv: ['--config', path], env: NAMED })).toEqual([
      `unknown key heartbeat-ms in file ${path}: did you mean heartbeatMs?`,
      `unknown key raft in file ${path}, see --help`,
    ]);
  });

  it('refuses variables that look like a misspelling, and passes over those of other processes', () => {
    expect(faultsOf({ env: { ...NAMED, RINGRAFT_HEARTBEAT_SM: '1', RINGRAFT_CLUSTERS: 'c1', OTHER: '1' } })).toEqual([
      'unknown variable RINGRAFT_HEARTBEAT_SM: did you mean RINGRAFT_HEARTBEAT_MS?',
    ]);
    expect(faultsOf({ env: { ...NAMED, RINGRAFT_LISTENS: 'x', RINGRAFT_LISTEN: '127.0.0.1:1' } })).toEqual([]);
  });

  it.each([
    ['nodeId: [', 'cannot be read'],
    ['nodeId: a\nnodeId: b', 'cannot be read'],
    ['- nodeId', 'must hold one mapping of option to value'],
    ['just text', 'must hold one mapping of option to value'],
  ])('refuses the file %j', (content, reason) => {
    const path = file(content);
    expect(faultsOf({ argv: ['--config', path], env: NAMED })[0]).toContain(`file ${path} ${reason}`);
  });

  it('says which file it cannot read', () => {
    expect(faultsOf({ argv: ['--config', '/nowhere.yaml'], env: NAMED })[0]).toMatch(
      /^file \/nowhere\.yaml cannot be read: ENOENT/,
    );
  });

  it('accepts an empty file', () => {
    expect(faultsOf({ argv: ['--config', file('# nothing yet\n')], env: NAMED })).toEqual([]);
  });

  it('asks the class about its fields together once each alone is right', () => {
    const env = { ...NAMED, RINGRAFT_HEARTBEAT_MS: '600' };
    expect(faultsOf({ env })).toEqual(['electionTimeoutMs = 500: must be above heartbeatMs (600)']);
    expect(faultsOf({ env: { ...env, RINGRAFT_LISTEN: 'x' } })).toHaveLength(1);
  });

  it('has one line per fault in its message', () => {
    expect(() => loadConfig(SampleConfig, { argv: ['--a', '--b'], env: NAMED })).toThrow(
      'the configuration is wrong:\n  unknown flag --a, see --help\n  unknown flag --b, see --help',
    );
  });
});

describe('Option', () => {
  it('refuses a field of a type that it cannot read without parse', () => {
    class Wrong {
      @Option({ describe: 'A list' })
      list = [1];
    }
    expect(() => optionsOf(Wrong)).toThrow('Wrong.list is no text, number or boolean: its @Option needs a parse');
  });

  it('names flag and variable after the field', () => {
    const [first] = optionsOf(SampleConfig);
    expect(first).toMatchObject({ field: 'nodeId', flag: '--node-id', variable: 'RINGRAFT_NODE_ID', kind: 'text' });
  });
});
