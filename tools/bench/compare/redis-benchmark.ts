import { keyCountFor, type Load } from './load.js';
import { runProgram } from './program.js';
import type { LoadResult } from './wrk.js';

/** Requests of the first run, from which the number for a given time follows. */
const PROBE_REQUESTS = 5_000;

/** Whether redis-benchmark can do this: it draws keys evenly and does one thing at a time. */
export function canRun({ work, keys }: Load): boolean {
  return work !== 'mixed' && keys === 'uniform';
}

/** One turn. redis-benchmark counts requests and not time: a short run first tells how many make up the time. */
export async function runRedisBenchmark(
  port: number,
  load: Load,
  seconds: number,
  signal: AbortSignal,
): Promise<LoadResult> {
  const run = async (requests: number) => {
    const test = load.work === 'put' ? 'set' : 'get';
    const output = await runProgram(
      'redis-benchmark',
      [
        ...['-h', '127.0.0.1', '-p', String(port), '-t', test, '--csv', '-c', String(load.connections)],
        ...['-n', String(requests), '-d', String(load.valueBytes), '-r', String(keyCountFor(load.valueBytes))],
      ],
      signal,
    );
    return parseRedisBenchmark(output, requests);
  };
  const probe = await run(PROBE_REQUESTS);
  return run(Math.ceil(probe.perSecond * seconds));
}

/** From its CSV: test, rps, then latencies in ms: average, least, p50, p95, p99, most. */
export function parseRedisBenchmark(output: string, requests: number): LoadResult {
  const line = output.split('\n').find((candidate) => /^"(SET|GET)"/.test(candidate));
  if (line === undefined) throw new Error(`redis-benchmark printed no result: ${output.slice(-500)}`);
  const [perSecond, , , p50Ms, , p99Ms, maxMs] = line
    .split(',')
    .slice(1)
    .map((field) => Number(field.replaceAll('"', '')));
  return {
    requests,
    perSecond: perSecond!,
    p50Ms: p50Ms!,
    p99Ms: p99Ms!,
    p999Ms: undefined,
    maxMs: maxMs!,
    slow: undefined,
    generatorCpuSeconds: undefined,
    seconds: requests / perSecond!,
    errors: {},
  };
}
