/** What can be measured, by itself or with others. */
export const SUITES = [
  'load',
  'growth',
  'failover',
  'start-up',
  'many-keys',
  'slow-requests',
  'targets',
  'quick',
  'full',
] as const;
export type Suite = (typeof SUITES)[number];

/** The measurements that make up the suites that were asked for. */
export type Part =
  'load' | 'quick-load' | 'target-loads' | 'growth' | 'failover' | 'start-up' | 'many-keys' | 'slow-requests';

const PARTS: Readonly<Record<Suite, readonly Part[]>> = {
  load: ['load'],
  growth: ['growth'],
  failover: ['failover'],
  'start-up': ['start-up'],
  'many-keys': ['many-keys'],
  'slow-requests': ['slow-requests'],
  quick: ['quick-load'],
  targets: ['target-loads', 'failover', 'slow-requests', 'many-keys'],
  full: ['target-loads', 'load', 'growth', 'failover', 'start-up', 'slow-requests', 'many-keys'],
};

/** Each once, in the order in which they are named. */
export function partsOf(suites: readonly Suite[]): Part[] {
  return [...new Set(suites.flatMap((suite) => PARTS[suite]))];
}
