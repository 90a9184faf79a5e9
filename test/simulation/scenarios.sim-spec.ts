import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runScenario } from '../../libs/raft/src/testing/scenario/scenario.js';

const folder = join(import.meta.dirname, 'scenarios');
const names = readdirSync(folder).map((file) => file.replace(/\.txt$/, ''));
const docs = readFileSync(join(import.meta.dirname, '../../docs/testing.md'), 'utf8');

describe.each(names)('the scenario %s', (name) => {
  const path = join(folder, `${name}.txt`);
  const text = readFileSync(path, 'utf8');

  // What it expects has to hold even when it is recorded anew, with UPDATE_SCENARIOS=1.
  it('happens as recorded', () => {
    const outcome = runScenario(`test/simulation/scenarios/${name}.txt`, text);
    if (process.env['UPDATE_SCENARIOS'] === '1') writeFileSync(path, outcome);
    expect(outcome).toBe(process.env['UPDATE_SCENARIOS'] === '1' ? outcome : text);
  });

  it('says where in the paper or the dissertation it belongs', () => {
    const introduction = text.slice(0, text.search(/^[^#]/m));
    expect(introduction).toMatch(/paper|dissertation/);
  });

  it('is listed in docs/testing.md', () => {
    expect(docs).toContain(`\`${name}\``);
  });
});
