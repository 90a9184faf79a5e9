import { type OptionOf, optionsOf } from './option.js';
import { CONFIG_FLAG, CONFIG_VARIABLE } from './sources.js';

/** Who is asked for help. */
export interface AppIdentity {
  /** The command: `raft-node`. */
  readonly name: string;
  /** What it is, in a sentence. */
  readonly describe: string;
  /** Of the package. */
  readonly version: string;
}

/** The text of `--help`: every option with its meaning, unit, default, variable and who must agree on it. */
export function helpText(ConfigClass: new () => object, { name, describe }: AppIdentity): string {
  const lines = optionsOf(ConfigClass).flatMap((option) => [
    `  ${option.flag}${valueShape(option)}`,
    `      ${option.describe}.`,
    `      ${[`Default: ${defaultText(option)}.`, agreement(option), `[${option.variable}]`].filter(Boolean).join(' ')}`,
  ]);
  return [
    `Usage: ${name} [options]`,
    '',
    describe,
    '',
    'An option is taken from the first of: flag, environment, file (key = the flag in camelCase), default.',
    '',
    ...lines,
    `  ${CONFIG_FLAG} <path>`,
    '      A YAML or JSON file with options.',
    `      [${CONFIG_VARIABLE}]`,
    '  --help, --version',
    '      Print this, or the version, and exit.',
    '',
  ].join('\n');
}

function valueShape({ kind, unit }: OptionOf): string {
  if (kind === 'boolean') return '';
  return ` <${unit ?? (kind === 'parsed' ? 'text' : kind)}>`;
}

function defaultText({ defaultValue, optional, format }: OptionOf): string {
  if (defaultValue === undefined) return optional ? 'none' : 'none, must be given';
  if (format) return format(defaultValue as never) || 'empty';
  return typeof defaultValue === 'string' ? defaultValue || 'empty' : JSON.stringify(defaultValue);
}

function agreement({ agree }: OptionOf): string {
  return agree ? `Must be the same for ${agree}.` : '';
}
