import { ConfigError } from './config-error.js';
import { type AppIdentity, helpText } from './help.js';
import { loadConfig } from './load-config.js';

/** The parts of `process` that decide about a start. */
export interface StartingProcess {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  exit(code: number): never;
}

/**
 * For `main.ts`: the validated config, or the end of the process. `--help` and `--version` are answered on stdout with
 * exit code 0; a wrong configuration is explained on stderr with exit code 2.
 */
export function configOrExit<T extends object>(
  ConfigClass: new () => T,
  app: AppIdentity,
  self: StartingProcess = process,
): T {
  const argv = self.argv.slice(2);
  if (argv.includes('--help') || argv.includes('-h')) {
    self.stdout.write(helpText(ConfigClass, app));
    self.exit(0);
  }
  if (argv.includes('--version')) {
    self.stdout.write(`${app.name} ${app.version}\n`);
    self.exit(0);
  }
  try {
    return loadConfig(ConfigClass, { argv, env: self.env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    self.stderr.write(`${app.name}: ${error.message}\nSee --help for all options.\n`);
    return self.exit(2);
  }
}
