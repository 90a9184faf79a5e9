import { Command } from 'commander';
import type { CommandContext } from '../context.js';
import { addKeyArgument, keyPath, keyText, parseKey, textOf, type KeyOptions } from './key-argument.js';
import { keyLocation } from './key-location.js';
import { conditionHeaders, parseRevision, type ConditionOptions } from './write-condition.js';

interface DelOptions extends KeyOptions, ConditionOptions {}

/** `ringctl del` */
export function delCommand(context: CommandContext): Command {
  return addKeyArgument(new Command('del'))
    .description('Deletes a key. It is no failure when it was not there.')
    .option('--if-match <revision>', 'only if the key is at this revision', parseRevision)
    .action((text: string, options: DelOptions) => del(context, text, options));
}

async function del(context: CommandContext, text: string, options: DelOptions): Promise<void> {
  const key = parseKey(text, options);
  const { headers } = await context.gateway.expectSuccess({
    method: 'DELETE',
    path: keyPath(key),
    headers: conditionHeaders(options),
    timeoutMs: context.timeoutMs,
  });
  const location = keyLocation(headers);
  if (context.isJson) {
    context.printJson({ key: textOf(key), key_base64: key.toString('base64'), is_gone: true, ...location });
  } else {
    context.print(`${keyText(key)} is gone from ${location.cluster}`);
  }
}
