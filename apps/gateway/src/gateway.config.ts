import { IsInt, Max, Min } from 'class-validator';
import { IsListenAddress, Option, ProcessConfig, type ChecksTogether } from '@app/platform';
import { IsClusterList, parseClusterList, type ClusterList } from './cluster-list.js';

/** Everything that can be set about a gateway. Two gateways in front of the same clusters need the same `clusters`. */
export class GatewayConfig extends ProcessConfig implements ChecksTogether {
  @Option({ describe: 'Where the HTTP server listens', unit: 'host:port' })
  @IsListenAddress()
  listen = '127.0.0.1:8080';

  @Option({
    describe:
      'The clusters, each with the address of one node or more; in a file a mapping { c1: { weight, nodes: { id: host:port } } }',
    unit: 'id=node@host:port|...;...',
    agree: 'all gateways, except for the addresses; else keys are looked for in the wrong cluster',
    parse: parseClusterList,
  })
  @IsClusterList()
  clusters!: ClusterList;

  /** After this a request is answered with 503 (surely not applied) or 504 (unknown), whatever happens behind it. */
  @Option({ describe: 'How long a request may take, with all its retries', unit: 'ms' })
  @IsInt()
  @Min(50)
  @Max(600_000)
  requestTimeoutMs = 5_000;

  /** Shorter finds a new leader sooner when the old one hangs; longer repeats less when nodes are merely slow. */
  @Option({
    describe: 'How long one node is waited for before another one is asked, within requestTimeoutMs',
    unit: 'ms',
  })
  @IsInt()
  @Min(10)
  @Max(600_000)
  attemptTimeoutMs = 1_000;

  @Option({
    describe: 'Pause before the first retry that no leader hint guides; doubled each time, with jitter',
    unit: 'ms',
  })
  @IsInt()
  @Min(1)
  @Max(60_000)
  retryDelayMs = 10;

  @Option({ describe: 'The longest pause between retries', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(60_000)
  retryDelayMaxMs = 200;

  @Option({ describe: 'The longest key', unit: 'bytes', agree: 'all gateways and nodes' })
  @IsInt()
  @Min(1)
  @Max(65_536)
  keyBytesMax = 4_096;

  @Option({ describe: 'The largest value', unit: 'bytes', agree: 'all gateways and nodes' })
  @IsInt()
  @Min(1)
  @Max(8 * 1024 * 1024)
  valueBytesMax = 1024 * 1024;

  /** More are refused with 503 OVERLOADED. */
  @Option({ describe: 'Operations that may wait for one node', unit: 'operations' })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  pendingOperationsMax = 16_384;

  /** More are refused with 503 OVERLOADED. */
  @Option({ describe: 'Bytes of the operations that may wait for one node', unit: 'bytes' })
  @IsInt()
  @Min(1024 * 1024)
  @Max(4 * 1024 * 1024 * 1024)
  pendingBytesMax = 64 * 1024 * 1024;

  /** One lets the load set the batch size; more only when the way to the nodes is long. */
  @Option({ describe: 'Frames that may be on their way to one node at a time', unit: 'frames' })
  @IsInt()
  @Min(1)
  @Max(64)
  framesInFlightMax = 1;

  /** Beyond it, a connection is closed as soon as it is accepted. */
  @Option({ describe: 'Open HTTP connections', unit: 'connections' })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  connectionsMax = 10_000;

  /** Those that fail with 500 or more are logged in any case; with the log level `debug`, all. */
  @Option({ describe: 'Requests that take longer are logged', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  slowRequestMs = 1_000;

  @Option({ describe: 'How long GET /v1/cluster waits for a node', unit: 'ms' })
  @IsInt()
  @Min(10)
  @Max(60_000)
  statusTimeoutMs = 1_000;

  /** Load balancers look at `/readyz` from time to time only: for so long after a SIGTERM it says 503, and requests are served as before. */
  @Option({ describe: 'How long a gateway that is to stop goes on serving, so that it is noticed', unit: 'ms' })
  @IsInt()
  @Min(0)
  @Max(300_000)
  shutdownGraceMs = 1_000;

  faultsTogether(): string[] {
    const faults: string[] = [];
    if (this.retryDelayMs > this.retryDelayMaxMs) faults.push('retryDelayMs must not be above retryDelayMaxMs');
    if (this.shutdownGraceMs >= this.shutdownTimeoutMs) faults.push('shutdownGraceMs must be below shutdownTimeoutMs');
    if (this.valueBytesMax + this.keyBytesMax > this.pendingBytesMax) {
      faults.push('pendingBytesMax must hold one key and one value of the largest size');
    }
    return faults;
  }
}
