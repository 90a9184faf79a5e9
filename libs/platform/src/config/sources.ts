import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse as parseYaml } from 'yaml';
import { nearestWord } from './edit-distance.js';
import type { OptionOf } from './option.js';

/** A value as somebody gave it, before it is converted. */
export interface Given {
  readonly value: unknown;
  /** `flag --data-dir`, `environment RINGRAFT_DATA_DIR`, `file ringraft.yaml` */
  readonly source: string;
}

/** What one source gives, by field, and what is wrong with the source itself. */
export interface Source {
  readonly given: ReadonlyMap<string, Given>;
  readonly faults: readonly string[];
}

export const CONFIG_FLAG = '--config';
export const CONFIG_VARIABLE = 'RINGRAFT_CONFIG';

/** Flags: `--name value`, `--name=value`, and `--name` or `--no-name` for booleans. Of a repeated flag the last counts. */
export function readFlags(options: readonly OptionOf[], argv: readonly string[]): Source & { configPath?: string } {
  const known = new Map(options.map((option) => [option.flag.slice(2), option]));
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: Object.fromEntries<{ type: 'string' | 'boolean' }>([
      ['config', { type: 'string' }],
      ...options.map(({ flag, kind }): [string, { type: 'string' | 'boolean' }] => [
        flag.slice(2),
        { type: kind === 'boolean' ? 'boolean' : 'string' },
      ]),
    ]),
  });

  const given = new Map<string, Given>();
  const faults: string[] = [];
  let configPath: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      faults.push(`unexpected argument ${JSON.stringify(token.value)}: only flags are allowed, see --help`);
      continue;
    }
    const negated = known.get(token.name.replace(/^no-/, ''));
    const option = known.get(token.name);
    if (token.name === 'config') {
      if (isMissing(token)) faults.push(`${CONFIG_FLAG} needs a value: the path of a YAML or JSON file`);
      else configPath = token.value;
    } else if (option?.kind === 'boolean') {
      given.set(option.field, { value: token.value ?? true, source: `flag ${option.flag}` });
    } else if (option) {
      if (isMissing(token)) faults.push(`${option.flag} needs a value`);
      else given.set(option.field, { value: token.value, source: `flag ${option.flag}` });
    } else if (negated?.kind === 'boolean' && token.value === undefined) {
      given.set(negated.field, { value: false, source: `flag ${token.rawName}` });
    } else {
      faults.push(`unknown flag ${token.rawName}${suggestion(token.rawName, [CONFIG_FLAG, ...flagsOf(options)])}`);
    }
  }
  return { given, faults, ...(configPath !== undefined && { configPath }) };
}

function isMissing(token: { value?: string | undefined; inlineValue?: boolean | undefined }): boolean {
  return token.value === undefined || (!token.inlineValue && token.value.startsWith('--'));
}

function flagsOf(options: readonly OptionOf[]): string[] {
  return options.map(({ flag }) => flag);
}

/**
 * The environment: `RINGRAFT_*`. An empty variable counts as not set. Several processes may share one environment, so
 * names that this one does not know are passed over, but for close misspellings of a name that it knows.
 */
export function readEnvironment(
  options: readonly OptionOf[],
  env: Readonly<Record<string, string | undefined>>,
): Source & { configPath?: string } {
  const given = new Map<string, Given>();
  for (const { field, variable } of options) {
    const value = env[variable];
    if (value) given.set(field, { value, source: `environment ${variable}` });
  }
  const names = [CONFIG_VARIABLE, ...options.map(({ variable }) => variable)];
  const faults = Object.keys(env)
    .filter((name) => name.startsWith('RINGRAFT_') && !names.includes(name))
    .flatMap((name) => {
      const nearest = nearestWord(
        name,
        names.filter((candidate) => !env[candidate]),
      );
      return nearest ? [`unknown variable ${name}: did you mean ${nearest}?`] : [];
    });
  const configPath = env[CONFIG_VARIABLE];
  return { given, faults, ...(configPath && { configPath }) };
}

/** A YAML or JSON file with one mapping; its keys are the names of the fields (`dataDir`). */
export function readFile(options: readonly OptionOf[], path: string): Source {
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, 'utf8'));
  } catch (error) {
    return { given: new Map(), faults: [`file ${path} cannot be read: ${(error as Error).message.trim()}`] };
  }
  if (content === null || content === undefined) return { given: new Map(), faults: [] };
  if (typeof content !== 'object' || Array.isArray(content)) {
    return { given: new Map(), faults: [`file ${path} must hold one mapping of option to value`] };
  }
  const fields = options.map(({ field }) => field);
  const given = new Map<string, Given>();
  const faults: string[] = [];
  for (const [key, value] of Object.entries(content)) {
    if (fields.includes(key)) given.set(key, { value, source: `file ${path}` });
    else faults.push(`unknown key ${key} in file ${path}${suggestion(camelCase(key), fields)}`);
  }
  return { given, faults };
}

function camelCase(key: string): string {
  return key.replace(/[-_]+([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function suggestion(word: string, candidates: readonly string[]): string {
  const nearest = nearestWord(word, candidates);
  return nearest ? `: did you mean ${nearest}?` : ', see --help';
}
