import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOGUE } from './catalogue.js';
import { MutantError, mutatedSources, type Mutant } from './mutant.js';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

describe('the catalogue of bugs', () => {
  it.each(CATALOGUE.map((mutant) => [mutant.name, mutant] as const))('%s fits the source exactly once', (_, mutant) => {
    expect([...mutatedSources(mutant, read).keys()]).toEqual([...new Set(mutant.edits.map(({ file }) => file))]);
  });

  it('names each bug once', () => {
    const names = CATALOGUE.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  });

  it('has one for every known way in which such a database has been wrong', () => {
    const letters = new Set(CATALOGUE.flatMap(({ breaks }) => breaks.split(', ')).filter((text) => text.length === 1));
    expect([...letters].sort().join('')).toBe('abcdefghijklmnopqrstuvwx');
  });

  it('says of each what comes of it', () => {
    expect(CATALOGUE.filter(({ note, breaks }) => note.length < 20 || breaks === '')).toEqual([]);
  });

  it('touches only what a real node runs, too', () => {
    const files = CATALOGUE.flatMap(({ edits }) => edits.map(({ file }) => file));
    expect(files.filter((file) => !/^libs\/(raft|kv|storage|simulator)\/src\//.test(file))).toEqual([]);
  });
});

describe('a mutant', () => {
  const mutant = (find: string): Mutant => ({
    name: 'x',
    breaks: '',
    note: '',
    edits: [{ file: 'f.ts', find, replace: 'one' }],
  });

  it('replaces its text', () => {
    expect(mutatedSources(mutant('two'), () => 'one two three').get('f.ts')).toBe('one one three');
  });

  it.each([
    ['is not there', 'four'],
    ['is there twice', 'o'],
    ['is what replaces it', 'one'],
  ])('is refused if its text %s', (_, find) => {
    expect(() => mutatedSources(mutant(find), () => 'one two three')).toThrow(MutantError);
  });
});
