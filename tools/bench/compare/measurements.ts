import type { FailoverReport } from './failover.js';
import type { ManyKeysReport } from './many-keys.js';
import type { SlowRequestsReport } from './slow-requests.js';
import type { StartUpReport } from './start-up.js';
import type { LoadReport } from './turns.js';

/** Everything of one run; what was not asked for is empty. */
export interface Measurements {
  readonly loads: LoadReport[];
  readonly growth: LoadReport[];
  readonly failover: FailoverReport[];
  readonly startUp: StartUpReport[];
  readonly manyKeys: ManyKeysReport[];
  slowRequests: SlowRequestsReport | undefined;
}

export function noMeasurements(): Measurements {
  return { loads: [], growth: [], failover: [], startUp: [], manyKeys: [], slowRequests: undefined };
}
