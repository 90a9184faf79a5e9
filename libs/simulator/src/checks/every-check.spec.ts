import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = join(__dirname, '..');

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.split('/').includes('testing'))
  .map((name) => ({ name, text: readFileSync(join(SOURCES, name), 'utf8') }));
const specs = files.filter(({ name }) => name.endsWith('.spec.ts'));
const sources = files.filter(({ name }) => !name.endsWith('.spec.ts'));

/** First arguments of the two ways to end a run: a name, or a variable that holds one of a few. */
const ENDS = /(?:\bfail|new SimulationFailure)\(\s*([^,]+),/g;
const NAMES_IN_VARIABLE = /\bconst check =([^;]*);/g;
const NAME = /'([a-z_]+)'/g;

const matchesOf = (pattern: RegExp, text: string): string[] => [...text.matchAll(pattern)].map((match) => match[1]!);

function checksOf(text: string): string[] {
  const firsts = matchesOf(ENDS, text).filter((first) => !/^check\b/.test(first));
  const unclear = firsts.filter((first) => !/^'[a-z_]+'$/.test(first));
  if (unclear.length > 0) throw new Error(`the name of a check is to be read in its source: ${unclear.join('; ')}`);
  return [
    ...firsts.map((first) => first.slice(1, -1)),
    ...matchesOf(NAMES_IN_VARIABLE, text).flatMap((names) => matchesOf(NAME, names)),
  ];
}

const checks = [...new Set(sources.flatMap(({ text }) => checksOf(text)))].sort();
/** A test that shows a check to fire expects its name as the outcome. */
const shown = new Set(specs.flatMap(({ text }) => matchesOf(/\.toBe\('([a-z_]+)'\)/g, text)));

describe('every check of the simulator', () => {
  it('is found in the sources', () => {
    expect(checks.length).toBeGreaterThan(45);
    expect(checks).toEqual(expect.arrayContaining(['election_safety', 'learner_counted', 'recovery', 'liveness']));
    expect(() => checksOf('fail(nameOf(it), ``)')).toThrow('read in its source');
  });

  it('has a test in which it fires: one that cannot fail would be worth nothing', () => {
    expect(checks.filter((name) => !shown.has(name))).toEqual([]);
  });
});
