import { join } from 'node:path';
import { runProgram } from './program.js';

/** Sends requests; see the file itself. tsc does not copy it to dist. */
const SCRIPT = join(import.meta.dirname, '../../../../tools/bench/compare/replay.lua');
/** What takes longer counts as an error. */
const TIMEOUT_SECONDS = 10;

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Undefined where the generator does not tell. */
  readonly p999Ms: number | undefined;
  readonly maxMs: number;
  /**
   * Requests that took longer than was asked about. As in the percentiles, wrk counts with a request that took long those that its connection would
   * have sent meanwhile; the requests themselves, their rate and the longest are as they were.
   */
  readonly slow: number | undefined;
  /** Of the generator itself. */
  readonly generatorCpuSeconds: number | undefined;
  readonly seconds: number;
  /** What went wrong, by kind; empty when nothing did. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface WrkRun {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly requestFile: string;
  /** Where in the draws to begin. */
  readonly offset: number;
  readonly slowMs: number;
  readonly signal: AbortSignal;
}

/** One turn with one thread. Throws when wrk itself fails. */
export async function runWrk(run: WrkRun): Promise<LoadResult> {
  const output = await runProgram(
    'wrk',
    [
      ...['-t', '1', '-c', String(run.connections), '-d', `${run.seconds}s`, '--timeout', `${TIMEOUT_SECONDS}s`],
      ...['-s', SCRIPT, run.url, '--', run.requestFile, String(run.offset), String(run.slowMs)],
    ],
    run.signal,
  );
  return parseWrkOutput(output);
}

interface Printed {
  readonly requests: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  readonly slow: number;
  readonly cpuSeconds: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly status: number;
  readonly timeout: number;
}

/** From the line that `replay.lua` prints. Throws when it is not there. */
export function parseWrkOutput(output: string): LoadResult {
  const line = output.split('\n').find((candidate) => candidate.startsWith('RESULT '));
  if (line === undefined) throw new Error(`wrk printed no result: ${output.slice(-500)}`);
  const { connect, read, write, status, timeout, ...printed } = JSON.parse(line.slice('RESULT '.length)) as Printed;
  const errors = Object.entries({ connect, read, write, status, timeout }).filter(([, count]) => count > 0);
  const seconds = printed.durationUs / 1e6;
  return {
    requests: printed.requests,
    perSecond: printed.requests / seconds,
    p50Ms: printed.p50Us / 1000,
    p99Ms: printed.p99Us / 1000,
    p999Ms: printed.p999Us / 1000,
    maxMs: printed.maxUs / 1000,
    slow: printed.slow,
    generatorCpuSeconds: printed.cpuSeconds,
    seconds,
    errors: Object.fromEntries(errors),
  };
}
