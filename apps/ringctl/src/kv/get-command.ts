import { Command } from 'commander';
import type { CommandContext } from '../context.js';
import type { GatewayAnswer } from '../gateway/gateway-answer.js';
import { addKeyArgument, keyPath, parseKey, textOf, type KeyOptions } from './key-argument.js';
import { keyLocation, revisionOf } from './key-location.js';

interface GetOptions extends KeyOptions {
  readonly stale: boolean;
}

const NEWLINE = 0x0a;

/** `ringctl get` */
export function getCommand(context: CommandContext): Command {
  return addKeyArgument(new Command('get'))
    .description('Prints the value of a key, byte for byte.')
    .option('--stale', 'whatever any node of the cluster has, also without a leader', false)
    .action((text: string, options: GetOptions) => get(context, parseKey(text, options), options.stale));
}

async function get(context: CommandContext, key: Buffer, isStale: boolean): Promise<void> {
  const path = `${keyPath(key)}${isStale ? '?consistency=stale' : ''}`;
  const answer = await context.gateway.expectSuccess({ method: 'GET', path, timeoutMs: context.timeoutMs });
  if (context.isJson) {
    context.printJson(facts(key, answer));
    return;
  }
  const { stdout } = context.io;
  stdout.write(answer.body);
  // A prompt right behind the value would look like a part of it; a pipe gets the value and nothing else.
  if (stdout.isTTY && answer.body.at(-1) !== NEWLINE) stdout.write('\n');
}

function facts(key: Buffer, { headers, body }: GatewayAnswer): object {
  return {
    key: textOf(key),
    key_base64: key.toString('base64'),
    value: textOf(body),
    value_base64: body.toString('base64'),
    bytes: body.length,
    revision: revisionOf(headers),
    content_type: headers['content-type'] ?? null,
    ...keyLocation(headers),
  };
}
