import type { OutgoingHttpHeaders } from 'node:http';
import { InvalidArgumentError } from 'commander';
import { CommandFailure } from '../command-failure.js';
import { EXIT } from '../exit-code.js';

export interface ConditionOptions {
  /** A revision. */
  readonly ifMatch?: string;
  readonly ifAbsent?: boolean;
}

/** The headers that make a write depend on how the key is. Throws a `CommandFailure` for two conditions at once. */
export function conditionHeaders({ ifMatch, ifAbsent = false }: ConditionOptions): OutgoingHttpHeaders {
  if (ifMatch !== undefined && ifAbsent) {
    throw new CommandFailure(EXIT.USAGE, 'a key cannot be at a revision and absent: give --if-match or --if-absent');
  }
  if (ifAbsent) return { 'if-none-match': '*' };
  return ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` };
}

/** `17`, or the ETag of it. */
export function parseRevision(text: string): string {
  const revision = /^(?:"(\d{1,16})"|(\d{1,16}))$/.exec(text);
  if (!revision) throw new InvalidArgumentError('It must be a revision, such as 17.');
  return String(Number(revision[1] ?? revision[2]));
}
