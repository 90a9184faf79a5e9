import { pino, type DestinationStream, type Logger } from 'pino';

/** Events with fields: `log.info({ term, votes }, 'became leader')`. Never keys' values, never secrets. */
export type Log = Logger;
/** The token of the process's `Log`. */
export const LOG = Symbol('LOG');

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields that would carry what users store; their content never reaches the log, one level deep included. */
const UNLOGGED = ['value', 'body', 'command', 'answer', 'data', 'entries'];

export interface LogOptions {
  readonly level: LogLevel;
  /** On every line: which process speaks, `{ node: 'c1-n1', cluster: 'c1' }`. */
  readonly fields: Readonly<Record<string, string>>;
  /** What else is on every line, asked for each: `{ term: 7 }`. A line's own fields come before it. */
  readonly changing?: () => object;
  /** stdout unless given. */
  readonly destination?: DestinationStream;
}

/**
 * JSON, a line per event, with the time in ISO 8601 and the level by name. Lines are written before the call returns,
 * so that what was logged just before an exit is not lost.
 */
export function createLog({ level, fields, changing, destination }: LogOptions): Log {
  return pino(
    {
      level,
      base: { pid: process.pid, ...fields },
      ...(changing && { mixin: changing }),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: UNLOGGED.flatMap((field) => [field, `*.${field}`]), censor: '[not logged]' },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}
