import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runScenario } from '../../libs/raft/src/testing/scenario/scenario.js';

const folder = join(import.meta.dirname, 'scenarios');
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));

describe('scenarios', () => {
  it('there are some', () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it.each(files)('%s happens as recorded (UPDATE_SCENARIOS=1 records it anew)', (file) => {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    const outcome = runScenario(`test/simulation/scenarios/${file}`, text);
    if (process.env['UPDATE_SCENARIOS'] === '1') writeFileSync(path, outcome);
    else expect(outcome).toBe(text);
  });
});
