import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { EXIT } from '../exit-code.js';
import { GatewayClient } from '../gateway/gateway-client.js';
import { parseDuration, wholeNumber } from '../global-options.js';
import { Load } from './load.js';
import { LoadProgress } from './load-progress.js';
import { verdictOn, type LoadResult, type Thresholds, type Verdict } from './verdict.js';

const DURATION_MS_MAX = 600_000;
const CLIENTS_MAX = 1_000;
const VALUE_BYTES_MAX = 1024 * 1024;

/** A load by its name: how many clients, and what is expected then of a healthy system on an ordinary SSD. */
const LOADS = {
  s: { clients: 8, throughputMin: 100, p99MsMax: 250 },
  m: { clients: 64, throughputMin: 500, p99MsMax: 500 },
  l: { clients: 256, throughputMin: 1_000, p99MsMax: 1_000 },
} as const;

const ERROR_SHARE_MAX = 0.001;

interface PerfFlags {
  readonly load: keyof typeof LOADS;
  readonly clients?: number;
  readonly duration: number;
  readonly valueBytes: number;
  readonly reads: number;
  readonly minThroughput?: number;
  readonly maxP99?: number;
}

/** `ringctl check` */
export function checkCommand(context: CommandContext): Command {
  const command = new Command('check').description('Tries out what the system can do.');
  command
    .command('perf')
    .description(
      'Puts a bounded load on the system, with keys of its own that it takes away again, and gives a verdict. ' +
        'Exit code 1 when a threshold is not kept.',
    )
    .addOption(
      new Option('--load <size>', 'small, medium or large: 8, 64 or 256 clients, with thresholds to match')
        .choices(Object.keys(LOADS))
        .default('s'),
    )
    .option(
      '--clients <count>',
      `each has one operation at a time; at most ${CLIENTS_MAX}`,
      wholeNumber(1, CLIENTS_MAX),
    )
    .option('--duration <duration>', 'how long; at most 10m', parsePerfDuration, 10_000)
    .option('--value-bytes <bytes>', 'of each value', wholeNumber(0, VALUE_BYTES_MAX), 256)
    .option('--reads <percent>', 'how many of the operations are reads', wholeNumber(0, 100), 0)
    .option('--min-throughput <count>', 'operations per second that are wanted', wholeNumber(0, 10_000_000))
    .option('--max-p99 <duration>', 'what 99 of 100 operations may take', parseDuration)
    .action((flags: PerfFlags) => perf(context, flags));
  return command;
}

async function perf(context: CommandContext, flags: PerfFlags): Promise<void> {
  const preset = LOADS[flags.load];
  const clients = flags.clients ?? preset.clients;
  const thresholds: Thresholds = {
    throughputMin: flags.minThroughput ?? preset.throughputMin,
    p99MsMax: flags.maxP99 ?? preset.p99MsMax,
    errorShareMax: ERROR_SHARE_MAX,
  };
  // Says who does not answer before a load is made of it.
  await context.gateway.first('/v1/limits', context.timeoutMs);
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  const { interrupted, stderr } = context.io;
  const load = new Load(
    new GatewayClient(context.endpoints, interrupted, agents),
    {
      clients,
      durationMs: flags.duration,
      valueBytes: flags.valueBytes,
      readPercent: flags.reads,
      timeoutMs: context.timeoutMs,
      keyPrefix: `ringctl-check-perf-${randomUUID()}`,
    },
    interrupted,
  );
  const progress = new LoadProgress(stderr, flags.duration, () => load.result);
  let result: LoadResult;
  try {
    result = await load.run();
  } finally {
    progress.stop();
  }
  if (interrupted.aborted) {
    throw new CommandFailure(
      EXIT.INTERRUPTED,
      'interrupted: no verdict; the keys that were written expire within 10 minutes',
    );
  }
  await load.clean();
  agents.http.destroy();
  agents.https.destroy();
  const verdict = verdictOn(result, thresholds);
  if (!verdict.passed) context.exitCode = EXIT.FAILED;
  if (context.isJson) context.printJson(jsonOf(clients, result, thresholds, verdict));
  else for (const line of linesOf(context, clients, result, verdict)) context.print(line);
}

function linesOf(context: CommandContext, clients: number, result: LoadResult, { passed, lines }: Verdict): string[] {
  const colors = context.colorsFor(context.io.stdout);
  const mark = (isKept: boolean): string => (isKept ? colors.green('PASS') : colors.red('FAIL'));
  const { operations, seconds, throughput, p50Ms, p99Ms, maxMs, errors } = result;
  return [
    `${operations} operations in ${seconds.toFixed(1)} s by ${clients} clients: ${throughput.toFixed(0)}/s`,
    `latency p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, longest ${maxMs.toFixed(1)} ms`,
    ...Object.entries(errors).map(([code, count]) => `${count} times ${code}`),
    ...lines.map((line) => `${mark(line.passed)} ${line.text}`),
    `verdict: ${mark(passed)}`,
  ];
}

function jsonOf(clients: number, result: LoadResult, thresholds: Thresholds, { passed }: Verdict): object {
  return {
    passed,
    clients,
    seconds: result.seconds,
    operations: result.operations,
    errors: result.errors,
    throughput: result.throughput,
    p50_ms: result.p50Ms,
    p99_ms: result.p99Ms,
    max_ms: result.maxMs,
    thresholds: {
      throughput_min: thresholds.throughputMin,
      p99_ms_max: thresholds.p99MsMax,
      error_share_max: thresholds.errorShareMax,
    },
  };
}

function parsePerfDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms > DURATION_MS_MAX)
    throw new InvalidArgumentError('It must be at most 10m: this is a check, and no benchmark.');
  return ms;
}
