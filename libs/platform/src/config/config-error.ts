/** A configuration that is not accepted. Its message has one line per fault, all of them at once. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(['the configuration is wrong:', ...faults.map((fault) => `  ${fault}`)].join('\n'));
    this.name = 'ConfigError';
  }
}
