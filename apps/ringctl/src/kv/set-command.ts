import { Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from '../context.js';
import { addKeyArgument, keyPath, keyText, parseKey, textOf, type KeyOptions } from './key-argument.js';
import { keyLocation, revisionOf } from './key-location.js';
import { readValue } from './value-source.js';
import { conditionHeaders, parseRevision, type ConditionOptions } from './write-condition.js';

interface SetOptions extends KeyOptions, ConditionOptions {
  readonly file?: string;
  readonly ttl?: string;
  readonly contentType?: string;
}

/** `ringctl set` */
export function setCommand(context: CommandContext): Command {
  return addKeyArgument(new Command('set'))
    .description('Writes a key, and says at which revision it is then.')
    .argument('[value]', 'the value; - reads it from stdin')
    .option('-f, --file <path>', 'the value is what this file holds')
    .option('--ttl <duration>', 'the key expires so long after, in ms, s, m, h or d; without it, never', parseTtl)
    .option('--if-match <revision>', 'only if the key is at this revision', parseRevision)
    .option('--if-absent', 'only if the key does not exist')
    .option('--content-type <type>', 'kept with the value, and given back with it')
    .action((text: string, value: string | undefined, options: SetOptions) => set(context, text, value, options));
}

async function set(
  context: CommandContext,
  text: string,
  argument: string | undefined,
  options: SetOptions,
): Promise<void> {
  const key = parseKey(text, options);
  const condition = conditionHeaders(options);
  const body = await readValue(argument, options.file, context.io);
  const { ttl, contentType } = options;
  const { status, headers } = await context.gateway.expectSuccess({
    method: 'PUT',
    path: `${keyPath(key)}${ttl === undefined ? '' : `?ttl=${ttl}`}`,
    headers: { ...condition, ...(contentType !== undefined && { 'content-type': contentType }) },
    body,
    timeoutMs: context.timeoutMs,
  });
  const isNew = status === 201;
  const revision = revisionOf(headers);
  const location = keyLocation(headers);
  if (context.isJson) {
    const named = { key: textOf(key), key_base64: key.toString('base64') };
    context.printJson({ ...named, created: isNew, revision, ...location });
    return;
  }
  const done = isNew ? 'created' : 'replaced';
  context.print(`${done} ${keyText(key)} at revision ${revision} in ${location.cluster}`);
}

function parseTtl(text: string): string {
  if (!/^\d{1,15}(ms|s|m|h|d)$/.test(text) || /^0+\D/.test(text)) {
    throw new InvalidArgumentError('It must be a whole number above 0 with its unit (ms, s, m, h or d), such as 30s.');
  }
  return text;
}
