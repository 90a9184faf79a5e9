import { execFileSync } from 'node:child_process';
import { CommandContext } from '../context.js';
import { ringctlProgram } from '../program.js';
import { testIo } from '../testing/test-io.js';
import { wordsOf } from './command-words.js';
import { SHELLS, completionScript } from './completion-script.js';

const PLACES = wordsOf(ringctlProgram(new CommandContext(testIo()), '1.2.3'));

describe('completion', () => {
  it('knows every place of a command line', () => {
    const places = new Map(PLACES.map((place) => [place.path.join(' '), place]));
    expect(places.get('')!.commands.map(({ word }) => word)).toEqual(
      expect.arrayContaining(['get', 'set', 'del', 'status', 'member', 'leader', 'slot', 'placement', 'snapshot']),
    );
    expect(places.get('member')!.commands.map(({ word }) => word)).toEqual(
      expect.arrayContaining(['list', 'add', 'remove', 'replace', 'promote']),
    );
    expect(places.get('set')!.options.map(({ word }) => word)).toEqual(
      expect.arrayContaining(['--ttl', '--if-match', '--if-absent', '--endpoint', '--output', '--help']),
    );
  });

  it.each(SHELLS)('%s is told all of them', (shell) => {
    const script = completionScript(shell, PLACES);
    for (const { path, options } of PLACES) {
      for (const word of [...path, ...options.map(({ word }) => word.slice(2))]) expect(script).toContain(word);
    }
  });

  it('bash takes the script', () => {
    const script = completionScript('bash', PLACES);
    expect(execFileSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toBe('');
  });
});
