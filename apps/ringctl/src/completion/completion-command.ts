import { Argument, Command } from 'commander';
import type { CommandContext } from '../context.js';
import { wordsOf } from './command-words.js';
import { SHELLS, completionScript, type Shell } from './completion-script.js';

/** `ringctl completion` */
export function completionCommand(context: CommandContext, program: Command): Command {
  return new Command('completion')
    .description('Prints a script with which a shell completes ringctl: source <(ringctl completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => {
      context.io.stdout.write(completionScript(shell, wordsOf(program)));
    });
}
