import { Command } from 'commander';
import { slotOf } from '@app/placement';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { EXIT } from '../exit-code.js';
import { addKeyArgument, keyText, parseKey, textOf, type KeyOptions } from '../kv/key-argument.js';
import { ownerOf, placementOfGateway } from './placement-map.js';

/** `ringctl slot` */
export function slotCommand(context: CommandContext): Command {
  return addKeyArgument(new Command('slot'))
    .description('Says which slot a key is in, and which cluster owns it. Asks for no key.')
    .action((text: string, options: KeyOptions) => slot(context, parseKey(text, options)));
}

async function slot(context: CommandContext, key: Buffer): Promise<void> {
  const slot = slotOf(key);
  const map = await placementOfGateway(context);
  const owner = ownerOf(map, slot);
  if (owner === undefined) {
    throw new CommandFailure(EXIT.NOT_FOUND, `no cluster owns slot ${slot} in epoch ${map.epoch}`, {
      hint: '`ringctl placement` shows which cluster owns which slots',
    });
  }
  if (context.isJson) {
    const named = { key: textOf(key), key_base64: key.toString('base64') };
    context.printJson({ ...named, slot, cluster: owner.id, epoch: map.epoch });
  } else {
    context.print(`${keyText(key)} is in slot ${slot} of ${owner.id} (epoch ${map.epoch})`);
  }
}
