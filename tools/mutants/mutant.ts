/** A piece of source text and what takes its place. */
export interface Edit {
  /** Below the root of the repository. */
  readonly file: string;
  /** Occurs in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A bug that is put in on purpose, to see that the simulator finds it. */
export interface Mutant {
  readonly name: string;
  /** The letters of docs/testing.md's table of pitfalls, or the invariant, that it goes against. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** What the bug leads to. */
  readonly note: string;
}

export class MutantError extends Error {
  constructor(
    readonly mutant: string,
    message: string,
  ) {
    super(`${mutant}: ${message}`);
    this.name = 'MutantError';
  }
}

/** The files of a mutant as they are with the bug in. Throws a `MutantError` if an edit does not fit exactly once. */
export function mutatedSources({ name, edits }: Mutant, read: (file: string) => string): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const source = sources.get(file) ?? read(file);
    const at = source.indexOf(find);
    if (at === -1) throw new MutantError(name, `${file} does not have the text that is to be replaced:\n${find}`);
    if (source.includes(find, at + 1)) throw new MutantError(name, `${file} has this text more than once:\n${find}`);
    if (find === replace) throw new MutantError(name, 'an edit changes nothing');
    sources.set(file, source.slice(0, at) + replace + source.slice(at + find.length));
  }
  return sources;
}
