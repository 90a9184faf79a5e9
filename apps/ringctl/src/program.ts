import { Command, CommanderError } from 'commander';
import { completionCommand } from './completion/completion-command.js';
import { CommandContext } from './context.js';
import { endpointCommand } from './endpoint/endpoint-command.js';
import { EXIT } from './exit-code.js';
import { asFailure, failureJson, failureLines } from './failure-report.js';
import { addGlobalOptions, type GlobalOptions } from './global-options.js';
import type { Io } from './io.js';
import { delCommand } from './kv/del-command.js';
import { getCommand } from './kv/get-command.js';
import { setCommand } from './kv/set-command.js';
import { leaderCommand } from './leader/leader-command.js';
import { memberCommand } from './members/member-command.js';
import { checkCommand } from './perf/check-command.js';
import { placementCommand } from './placement/placement-command.js';
import { slotCommand } from './placement/slot-command.js';
import { snapshotCommand } from './snapshot/snapshot-command.js';
import { statusCommand } from './status/status-command.js';

/** The command tree. Each command is built by one function of its file, which is given the context. */
export function ringctlProgram(context: CommandContext, version: string): Command {
  const program = addGlobalOptions(new Command('ringctl'))
    .description('Reads and writes keys of Ringraft, and shows and changes its clusters.')
    .version(version)
    .hook('preAction', () => context.configure(program.opts<GlobalOptions>()));
  program.addCommand(getCommand(context));
  program.addCommand(setCommand(context));
  program.addCommand(delCommand(context));
  program.addCommand(statusCommand(context));
  program.addCommand(memberCommand(context));
  program.addCommand(leaderCommand(context));
  program.addCommand(slotCommand(context));
  program.addCommand(placementCommand(context));
  program.addCommand(endpointCommand(context));
  program.addCommand(checkCommand(context));
  program.addCommand(snapshotCommand(context));
  program.addCommand(completionCommand(context, program));
  for (const command of [program, ...descendants(program)]) {
    command
      .exitOverride()
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({
        writeOut: (text) => context.io.stdout.write(text),
        writeErr: (text) => context.io.stderr.write(text),
      })
      .showHelpAfterError('(--help lists all options)');
  }
  return program;
}

/** Runs one command line and gives the exit code of the process. Never rejects. */
export async function runProgram(argv: readonly string[], io: Io, version: string): Promise<number> {
  const context = new CommandContext(io);
  try {
    await ringctlProgram(context, version).parseAsync([...argv], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    // It has been said already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    const failure = asFailure(error);
    if (context.isJson) context.note(JSON.stringify(failureJson(failure), null, 2));
    else for (const line of failureLines(failure, context.colorsFor(io.stderr))) context.note(line);
    return failure.exitCode;
  } finally {
    context.close();
  }
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}
