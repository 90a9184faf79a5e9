import { IsIn, IsInt, Matches, Max, Min } from 'class-validator';
import type { ChecksTogether } from '../config/load-config.js';
import { Option } from '../config/option.js';
import { ProcessConfig } from '../config/process-config.js';
import { IsListenAddress } from '../net/host-port.js';

/** One option of every kind. */
export class SampleConfig extends ProcessConfig implements ChecksTogether {
  @Option({ describe: 'The name of this process', unit: 'name' })
  @Matches(/^[a-z0-9-]+$/, { message: '$property must be lower-case letters, digits and dashes' })
  nodeId!: string;

  @Option({ describe: 'Address of the server', unit: 'host:port' })
  @IsListenAddress()
  listen = '127.0.0.1:7001';

  @Option({ describe: 'How often it beats', unit: 'ms', agree: 'all nodes of a cluster' })
  @IsInt()
  @Min(10)
  @Max(1_000)
  heartbeatMs = 50;

  @Option({ describe: 'How long silence may last', unit: 'ms' })
  @IsInt()
  @Min(10)
  electionTimeoutMs = 500;

  @Option({ describe: 'Whether it is quick' })
  isQuick = true;

  @Option({ describe: 'Colours', unit: 'name,...', optional: true, parse: parseColours })
  @IsIn(['red', 'green'], { each: true })
  colours?: string[];

  @Option({
    describe: 'Sizes',
    unit: 'number,...',
    parse: (text) => text.split(',').map(Number),
    format: (sizes: number[]) => sizes.join(','),
  })
  @Max(9, { each: true })
  sizes = [1, 2];

  faultsTogether(): string[] {
    return this.electionTimeoutMs > this.heartbeatMs
      ? []
      : [`electionTimeoutMs = ${this.electionTimeoutMs}: must be above heartbeatMs (${this.heartbeatMs})`];
  }
}

function parseColours(text: string): string[] {
  if (!/^[a-z,]+$/.test(text)) throw new Error('must be names with commas between them');
  return text.split(',');
}
