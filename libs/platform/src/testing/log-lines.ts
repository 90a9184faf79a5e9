import { createLog, type Log, type LogLevel } from '../logging/log.js';

/** A log that keeps its lines, parsed, without time and pid. */
export function logLines(level: LogLevel = 'trace'): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string): void => {
      const { time, pid, ...rest } = JSON.parse(line) as Record<string, unknown>;
      if (typeof time !== 'string' || typeof pid !== 'number') throw new Error(`no time or no pid in ${line}`);
      lines.push(rest);
    },
  };
  return { log: createLog({ level, fields: { node: 'c1-n1' }, destination }), lines };
}
