import { IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';
import { LOG_LEVELS, type LogLevel } from '../logging/log.js';
import { IsAddressMap, formatAddressMap, parseAddressMap, type AddressMap } from '../net/address-map.js';
import { Option } from './option.js';

/** The options that every process has. Config classes extend it. */
export abstract class ProcessConfig {
  @Option({ describe: `What is logged: one of ${LOG_LEVELS.join(', ')}`, unit: 'level' })
  @IsIn(LOG_LEVELS, { message: `$property must be one of ${LOG_LEVELS.join(', ')}` })
  logLevel: LogLevel = 'info';

  @Option({ describe: 'How long a graceful stop may take before the process exits with code 1', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  shutdownTimeoutMs = 10_000;

  @Option({
    describe: 'Stop when stdin closes: a process that starts others holds the other end, and none outlives it',
  })
  @IsBoolean()
  exitWithParent = false;

  /** Nodes tell each other, and gateways, one address for each node. Where a tunnel or a translated network lies between, another one holds. */
  @Option({
    describe: 'Other addresses at which this process finds some nodes: for tunnels and translated networks',
    unit: 'host:port=host:port,...',
    parse: parseAddressMap,
    format: formatAddressMap,
  })
  @IsAddressMap()
  reroutes: AddressMap = {};
}
