import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DummyDist } from '../../tools/local-cluster/testing/dummy-dist.js';
import { ClusterCommand, isAlive, type ClusterCommandOptions } from '../support/cluster-command.js';
import { eventually } from '../support/eventually.js';
import { HttpClient } from '../support/http-client.js';

/** Far above what it takes: a machine that is busy with other tests must not fail this one. */
jest.setTimeout(120_000);

const READY = 'Ctrl-C stops everything.';
const STOP_DEADLINE_MS = 60_000;

describe('the one command', () => {
  let directory: string;
  let running: ClusterCommand[] = [];

  function run(options: ClusterCommandOptions): ClusterCommand {
    const command = new ClusterCommand(options);
    running.push(command);
    return command;
  }

  const expectAllGone = (pids: Iterable<number>): Promise<boolean> =>
    eventually('all processes are gone', () => ![...pids].some(isAlive), STOP_DEADLINE_MS);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ringraft-command-'));
    running = [];
  });

  afterEach(async () => {
    for (const command of running) command.signal('SIGKILL');
    await Promise.all(running.map((command) => command.end()));
    rmSync(directory, { recursive: true, force: true });
  });

  describe('with the built processes', () => {
    it('prints what runs and what to paste, names a process that dies and goes on, and stops all on Ctrl-C with exit code 0', async () => {
      const { flags, port } = await ClusterCommand.portFlags(2, 3);
      const command = run({ args: [...flags, '--clusters=2', '--nodes=3', `--data-dir=${directory}`] });
      await command.printed(READY);

      const pids = command.pids();
      expect([...pids.keys()]).toEqual(['c1-n1', 'c1-n2', 'c1-n3', 'c2-n1', 'c2-n2', 'c2-n3', 'gateway-1']);
      expect([...pids.values()].every(isAlive)).toBe(true);
      expect(command.output.match(/│ leader +│/g)).toHaveLength(2);
      expect(command.output.match(/│ follower +│/g)).toHaveLength(4);

      const url = `http://127.0.0.1:${port}`;
      const http = new HttpClient(url);
      const pasted = [...command.output.matchAll(/curl -X POST (\S+) -d '([^']+)'/g)];
      const answers: string[] = [];
      for (const [, target, body] of pasted) {
        expect(target).toBe(`${url}/request`);
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        answers.push((await http.call('POST', '/request', { headers, body: body! })).text);
      }
      expect(answers).toEqual([
        '{"response":"","error_code":"SUCCESS"}',
        '{"response":"1|myvalue","error_code":"SUCCESS"}',
        '{"response":"","error_code":"SUCCESS"}',
      ]);

      process.kill(pids.get('c1-n2')!, 'SIGKILL');
      const log = join(directory, 'logs', 'c1-n2.log');
      await command.printed(`c1-n2 was killed by SIGKILL; it is not started again. Its log: ${log}`);
      for (const key of ['a', 'b', 'c', 'd']) expect((await http.put(`/v1/kv/${key}`, 'served')).status).toBe(201);
      http.close();

      command.pressCtrlC();
      expect(await command.end()).toBe(0);
      expect(command.output.endsWith('stopped\n')).toBe(true);
      expect([...pids.values()].some(isAlive)).toBe(false);
    }, 90_000);

    it('finds its data again, refuses another shape, and wipes with --fresh', async () => {
      const { flags, port } = await ClusterCommand.portFlags(1, 1);
      const args = [...flags, '--clusters=1', '--nodes=1', `--data-dir=${directory}`];
      const http = new HttpClient(`http://127.0.0.1:${port}`);

      const first = run({ args });
      await first.printed(READY);
      expect((await http.put('/v1/kv/kept', 'value')).status).toBe(201);
      first.signal('SIGTERM');
      expect(await first.end()).toBe(0);

      const otherShape = run({ args: [...flags, '--clusters=2', '--nodes=1', `--data-dir=${directory}`] });
      expect(await otherShape.end()).toBe(1);
      expect(otherShape.output).toContain('was made with --clusters 1 --nodes 1');

      const second = run({ args });
      await second.printed(READY);
      http.close();
      expect((await http.get('/v1/kv/kept')).text).toBe('value');
      second.pressCtrlC();
      expect(await second.end()).toBe(0);

      const fresh = run({ args: [...args, '--fresh'] });
      await fresh.printed(READY);
      http.close();
      expect((await http.get('/v1/kv/kept')).status).toBe(404);
      http.close();
    }, 90_000);
  });

  describe('whatever the processes do', () => {
    let dist: DummyDist;
    let script: string;

    beforeAll(() => {
      dist = new DummyDist();
      script = dist.addCommand(process.cwd());
    });

    afterAll(() => dist.remove());

    /** A system of one cluster of dummies. */
    async function dummies(env: Record<string, string> = {}, args: readonly string[] = []): Promise<ClusterCommand> {
      const { flags } = await ClusterCommand.portFlags(1, 3);
      return run({ script, env, args: [...flags, '--clusters=1', `--data-dir=${directory}`, ...args] });
    }

    it('kills what does not stop on the second Ctrl-C, and takes what npm passes on for the first', async () => {
      const command = await dummies({ DUMMY_IGNORES_SIGTERM: 'c1-n1' });
      await command.printed(READY);
      const pids = command.pids();
      command.pressCtrlC();
      command.signal('SIGINT');
      await command.printed('stopping all processes');
      await eventually('the others have stopped', () => !isAlive(pids.get('c1-n2')!), STOP_DEADLINE_MS);
      await eventually(
        'the second Ctrl-C counts',
        () => {
          if (command.output.includes('killing what is left')) return true;
          command.pressCtrlC();
          return false;
        },
        STOP_DEADLINE_MS,
      );
      expect(await command.end()).toBe(130);
      await expectAllGone(pids.values());
    });

    it('takes its processes with it when it is killed itself', async () => {
      const command = await dummies();
      await command.printed(READY);
      const pids = command.pids();
      command.signal('SIGKILL');
      expect(await command.end()).toBe('SIGKILL');
      expect(pids.size).toBe(4);
      await expectAllGone(pids.values());
    });

    it('names a process that cannot start, with its last lines, and stops the others', async () => {
      const command = await dummies({ DUMMY_EXITS: 'c1-n3' });
      expect(await command.end()).toBe(1);
      expect(command.output).toContain('c1-n3 exited with code 7');
      expect(command.output).toContain('  c1-n3 cannot go on');
    });

    it('ends when no process is left', async () => {
      const command = await dummies({}, ['--nodes=1']);
      await command.printed(READY);
      for (const pid of command.pids().values()) process.kill(pid, 'SIGKILL');
      expect(await command.end()).toBe(1);
      expect(command.output).toContain('no process is left');
    });

    it('stops while it is still starting', async () => {
      const command = await dummies({ DUMMY_NEVER_READY: 'c1-n1' });
      await command.printed('cluster c1 has elected c1-n2');
      command.pressCtrlC();
      expect(await command.end()).toBe(0);
    });

    it('names a taken port and the flag to choose another one, and touches nothing', async () => {
      const stranger = createServer().listen(0, '127.0.0.1');
      await once(stranger, 'listening');
      const { port } = stranger.address() as { port: number };
      const command = await dummies({}, [`--port=${port}`]);
      expect(await command.end()).toBe(1);
      stranger.close();
      expect(command.output).toBe(`port ${port} of gateway-1 is taken: choose another with --port\n`);
    });

    it('does not share a data directory with a system that runs', async () => {
      const command = await dummies();
      await command.printed(READY);
      const other = await dummies({}, ['--fresh']);
      expect(await other.end()).toBe(1);
      expect(other.output).toContain(`${directory} is used by process ${command.pid}`);
      expect([...command.pids().values()].every(isAlive)).toBe(true);
    });

    it('explains a wrong flag and exits with 1', async () => {
      const command = run({ script, args: ['--clusters=0'] });
      expect(await command.end()).toBe(1);
      expect(command.output).toContain('It must be a whole number from 1 to 100.');
    });

    it('says which process would not stop by itself, and then exits with 1', async () => {
      const command = await dummies({ DUMMY_STOPS_WITH_ERROR: 'c1-n2' });
      await command.printed(READY);
      command.pressCtrlC();
      expect(await command.end()).toBe(1);
      expect(command.output).toContain('c1-n2 did not stop gracefully: it exited with code 9. Its log: ');
    });
  });
});
