import { decodeConfiguration } from '../../configuration-codec.js';
import { isJoint, type Configuration } from '../../configuration.js';
import { EntryType, type Entry, type LogIndex, type Term } from '../../entry.js';

/** A position in a log as `index.term`; `0` is the one before the first entry. */
export const position = (index: LogIndex, term: Term): string => (index === 0 ? '0' : `${index}.${term}`);

export const textOf = (data: Uint8Array): string => String.fromCharCode(...data);

/** An entry as `index.term`, and behind it what it carries, if that is worth knowing. */
export function describeEntry(entry: Entry): string {
  const at = position(entry.index, entry.term);
  if (entry.type === EntryType.Noop) return `${at}(no-op)`;
  if (entry.type === EntryType.Configuration)
    return `${at}(${describeConfiguration(decodeConfiguration(entry.data)!)})`;
  // Entries that a script's `log` line gave carry their index.
  return textOf(entry.data) === `${entry.index}` ? at : `${at}(${textOf(entry.data)})`;
}

/** `{S1 S2 S3}`, with the incarnation instead of the name where one is recorded; in joint consensus `{old} and {new}`, for it takes a majority of each; learners behind a comma. */
export function describeConfiguration(configuration: Configuration): string {
  const { voters, outgoingVoters, learners, incarnations = {} } = configuration;
  const list = (ids: readonly string[]) =>
    [...ids]
      .sort()
      .map((id) => incarnations[id] ?? id)
      .join(' ');
  const set = (ids: readonly string[]) => `{${list(ids)}}`;
  const deciding = isJoint(configuration) ? `${set(outgoingVoters)} and ${set(voters)}` : set(voters);
  return learners.length === 0 ? deciding : `${deciding}, learning: ${list(learners)}`;
}
