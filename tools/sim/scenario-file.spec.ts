import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSeed } from '@app/simulator';
import { readScenario, ScenarioFileError, writeScenario } from './scenario-file.js';

describe('scenario files', () => {
  let dir: string;

  beforeAll(() => (dir = mkdtempSync(join(tmpdir(), 'ringraft-scenarios-'))));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const broken = (content: string): string => {
    const path = join(dir, 'broken.json');
    writeFileSync(path, content);
    return path;
  };

  it('keep every detail of a plan: the run is the same', () => {
    const { plan, traceHash } = runSeed({ seed: 11 });
    const path = writeScenario(join(dir, 'new'), { name: 'liveness-11', check: 'liveness', seed: 11, plan });
    expect(path).toBe(join(dir, 'new', 'liveness-11.json'));
    expect(runSeed({ seed: 11, plan: readScenario(path).plan }).traceHash).toBe(traceHash);
  });

  it.each([
    ['{', 'is no JSON'],
    ['[]', 'it must be an object of name, check, seed and plan'],
    ['{"name":"a","check":"b"}', 'seed must be a whole number'],
    ['{"name":"a","check":"b","seed":1,"plan":{"ticks":-1}}', 'plan.ticks must be a whole number from 0'],
    [
      '{"name":"a","check":"b","seed":1,"plan":{"ticks":1,"cluster":{},"workload":{},"faults":[{"kind":"fire"}]}}',
      'plan.faults[0].kind must be the name of a fault',
    ],
  ])('that are broken are refused: %s', (content, reason) => {
    const path = broken(content);
    expect(() => readScenario(path)).toThrow(ScenarioFileError);
    expect(() => readScenario(path)).toThrow(`${path}: ${reason}`);
  });

  it('that are not there are refused', () => {
    expect(() => readScenario(join(dir, 'none.json'))).toThrow(ScenarioFileError);
  });
});
