import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replayScenario, runSeed } from '@app/simulator';
import { readScenario } from '../../tools/sim/scenario-file.js';

const CORPUS = join(import.meta.dirname, 'corpus');
const scripts = readdirSync(CORPUS).filter((file) => file.endsWith('.json'));

const seeds = readFileSync(join(import.meta.dirname, 'seeds.txt'), 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .map((line) => {
    const match = /^(\d+)\s+# (\S.*)$/.exec(line);
    if (!match) throw new Error(`seeds.txt: "${line}" must be a seed, a # and what it found`);
    return [Number(match[1]), match[2]!] as const;
  });

describe('what once failed does not fail any more', () => {
  it.each(seeds)('seed %i: %s', (seed) => {
    expect(runSeed({ seed }).failure).toBeUndefined();
  });

  it.each(scripts)('the script %s', (file) => {
    expect(replayScenario(readScenario(join(CORPUS, file))).failure).toBeUndefined();
  });
});
