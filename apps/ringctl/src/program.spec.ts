import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runProgram } from './program.js';
import { testIo } from './testing/test-io.js';

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = testIo();
  const code = await runProgram(argv, io, '1.2.3');
  return { code, ...io.printed() };
}

describe('the program', () => {
  it('tells its version and its commands', async () => {
    expect(await run('--version')).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
    const help = await run('member', '--help');
    expect([help.code, help.stderr]).toEqual([0, '']);
    for (const word of ['list', 'add', 'remove', 'replace', 'promote', '--endpoint'])
      expect(help.stdout).toContain(word);
  });

  it('a result goes to stdout and everything else to stderr, options standing where they like', async () => {
    const view = { epoch: 1, slot_count: 16_384, clusters: [] };
    const server = createServer((_request, response) => response.end(JSON.stringify(view)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const before = await run('-o', 'json', '-e', endpoint, 'status');
      const behind = await run('status', '-e', endpoint, '-o', 'json');
      for (const { code, stdout, stderr } of [before, behind]) {
        expect([code, stderr, JSON.parse(stdout)]).toEqual([0, '', { ...view, took_ms: expect.any(Number) as number }]);
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    [[], 'Usage'],
    [['frobnicate'], 'unknown command'],
    [['get'], 'missing required argument'],
    [['get', ''], 'the key is empty'],
    [['get', 'a', 'b'], 'too many arguments'],
    [['get', 'xyz', '--key-encoding', 'hex'], 'not written in hex'],
    [['get', 'a', '-o', 'yaml'], 'Allowed choices'],
    [['get', 'a', '--timeout', '10'], 'duration'],
    [['get', 'a', '-e', 'ftp://x'], 'no URL of a gateway'],
    [['get', 'a', '-e', 'http://user:secret@x'], 'no URL of a gateway'],
    [['set', 'a'], 'there is no value'],
    [['set', 'a', '-x'], 'unknown option'],
    [['set', 'a', 'b', '--ttl', '-3s'], '--ttl'],
    [['set', 'a', 'b', '--ttl', '0s'], 'above 0'],
    [['set', 'a', 'b', '--if-match', 'x'], 'revision'],
    [['set', 'a', 'b', '--if-match', '1', '--if-absent'], 'at a revision and absent'],
    [['member', 'add', 'c1', 'n9', 'nowhere'], 'host:port'],
    [['member', 'add', 'c1', 'n9', '127.0.0.1:0'], 'host:port'],
    [['check', 'perf', '--clients', '100000'], 'whole number from 1 to'],
    [['check', 'perf', '--duration', '1h'], 'at most 10m'],
    [['snapshot', 'save', 'c1'], 'which cluster to save'],
    [
      ['snapshot', 'restore', 'f', '--data-dir', 'd', '--cluster-id', 'c', '--node-id', 'n', '--peers', 'x'],
      'ID=HOST:PORT',
    ],
    [['status', '--node', 'nowhere'], 'host:port'],
    [['completion', 'tcsh'], 'Allowed choices'],
  ])('%j makes no sense, and nobody is asked', async (argv, text) => {
    const { code, stdout, stderr } = await run(...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(text);
  });

  it('a failure is told to scripts as JSON on stderr', async () => {
    const { code, stdout, stderr } = await run('status', '-o', 'json', '-e', 'http://127.0.0.1:1');
    expect([code, stdout]).toEqual([4, '']);
    expect(JSON.parse(stderr)).toMatchObject({ error: { exit_code: 4, code: 'GATEWAY_UNREACHABLE' } });
  });
});
