import { validateSync } from 'class-validator';
import { ConfigError } from './config-error.js';
import { type OptionOf, optionsOf } from './option.js';
import { type Given, readEnvironment, readFile, readFlags } from './sources.js';

export interface ConfigInput {
  /** The arguments after the script: `process.argv.slice(2)`. */
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A config class may check what only several fields together can tell. Called when every field alone is right. */
export interface ChecksTogether {
  /** One line per fault, naming the fields and what is allowed; empty when all is well. */
  faultsTogether(): string[];
}

/**
 * One validated instance of a config class. Each field is taken from the first of: flag, environment `RINGRAFT_*`,
 * file (`--config` or `RINGRAFT_CONFIG`; YAML or JSON), default; then checked by its class-validator decorators.
 *
 * Throws `ConfigError` with every fault at once; each line names the field, its value, where that came from, and what
 * is allowed. Unknown flags and unknown keys in the file are faults too; so are unknown variables that look like a
 * misspelling.
 */
export function loadConfig<T extends object>(ConfigClass: new () => T, { argv = [], env = {} }: ConfigInput): T {
  const options = optionsOf(ConfigClass);
  const flags = readFlags(options, argv);
  const environment = readEnvironment(options, env);
  const path = flags.configPath ?? environment.configPath;
  const file = path === undefined ? undefined : readFile(options, path);

  const faults = [...flags.faults, ...environment.faults, ...(file?.faults ?? [])];
  const config = new ConfigClass();
  const sources = new Map<string, Given>();
  /** One fault per field is enough: what could not even be read is not validated. */
  const faulty = new Set<string>();
  for (const option of options) {
    const { field } = option;
    const given = flags.given.get(field) ?? environment.given.get(field) ?? file?.given.get(field);
    if (given) {
      sources.set(field, given);
      const converted = convert(option, given.value);
      if ('fault' in converted) {
        faulty.add(field);
        faults.push(faultLine(field, given, converted.fault));
      } else (config as Record<string, unknown>)[field] = converted.value;
    }
  }

  for (const { field, flag, variable, optional, defaultValue } of options) {
    if (optional || defaultValue !== undefined || sources.has(field)) continue;
    faulty.add(field);
    faults.push(`${field} is missing: give it by ${flag}, ${variable} or in the file`);
  }
  for (const error of validateSync(config, { forbidUnknownValues: false })) {
    const { property } = error;
    const given = sources.get(property) ?? { value: error.value as unknown, source: 'default' };
    if (faulty.has(property) || (given.value === undefined && options.find((o) => o.field === property)?.optional)) {
      continue;
    }
    const allowed = Object.values(error.constraints ?? {}).map((message) => message.replace(`${property} `, ''));
    faults.push(faultLine(property, given, allowed.join('; ')));
  }
  if (faults.length === 0 && 'faultsTogether' in config) {
    faults.push(...(config as unknown as ChecksTogether).faultsTogether());
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

function faultLine(field: string, { value, source }: Given, allowed: string): string {
  return `${field} = ${JSON.stringify(value)} (${source}): ${allowed}`;
}

function convert(option: OptionOf, value: unknown): { value: unknown } | { fault: string } {
  const { kind, parse } = option;
  if (typeof value !== 'string') {
    const wanted = { text: 'string', number: 'number', boolean: 'boolean' }[kind as string];
    if (wanted && typeof value !== wanted) return { fault: `must be a ${kind}` };
    return { value };
  }
  switch (kind) {
    case 'text':
      return { value };
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(value) ? { value: Number(value) } : { fault: `must be a number${unitOf(option)}` };
    case 'boolean':
      return value === 'true' || value === 'false' ? { value: value === 'true' } : { fault: 'must be true or false' };
    case 'parsed':
      try {
        return { value: parse!(value) };
      } catch (error) {
        return { fault: (error as Error).message };
      }
  }
}

function unitOf({ unit }: OptionOf): string {
  return unit ? ` (${unit})` : '';
}
