import type { Configuration } from './configuration.js';
import { isMember } from './configuration.js';
import type { NodeId } from './entry.js';

const VERSION = 1;
const NAME_LENGTH_MAX = 255;

/** What the encoding can carry: names of nodes and incarnations are 1 to 255 visible ASCII characters. */
export function isName(text: string): boolean {
  return text.length <= NAME_LENGTH_MAX && /^[\x21-\x7e]+$/.test(text);
}

/**
 * The data of a configuration entry: a version byte, then voters, outgoing voters, learners and incarnations (as name after
 * name), each list behind its count in two bytes (big-endian), each name behind its length in one. Throws a `RangeError` for what
 * `isName` refuses.
 */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const bytes: number[] = [VERSION];
  const lists = [
    configuration.voters,
    configuration.outgoingVoters,
    configuration.learners,
    Object.entries(configuration.incarnations ?? {}).flat(),
  ];
  for (const list of lists) {
    bytes.push(list.length >> 8, list.length & 0xff);
    for (const name of list) {
      if (!isName(name))
        throw new RangeError(`"${name}" is no name of 1 to ${NAME_LENGTH_MAX} visible ASCII characters`);
      bytes.push(name.length);
      for (let i = 0; i < name.length; i++) bytes.push(name.charCodeAt(i));
    }
  }
  return Uint8Array.from(bytes);
}

/** Undefined for what `encodeConfiguration` cannot have made. */
export function decodeConfiguration(bytes: Uint8Array): Configuration | undefined {
  if (bytes[0] !== VERSION) return undefined;
  let at = 1;
  const list = (): NodeId[] | undefined => {
    const count = (bytes[at] ?? NaN) * 256 + (bytes[at + 1] ?? NaN);
    if (Number.isNaN(count)) return undefined;
    at += 2;
    const names: NodeId[] = [];
    for (let i = 0; i < count; i++) {
      const end = at + 1 + (bytes[at] ?? NaN);
      if (!(end <= bytes.length)) return undefined;
      const name = String.fromCharCode(...bytes.subarray(at + 1, end));
      if (!isName(name)) return undefined;
      names.push(name);
      at = end;
    }
    return names;
  };
  const [voters, outgoingVoters, learners, pairs] = [list(), list(), list(), list()];
  if (!voters || !outgoingVoters || !learners || !pairs || at !== bytes.length) return undefined;
  for (const names of [voters, outgoingVoters, learners]) if (new Set(names).size < names.length) return undefined;
  const configuration = { voters, outgoingVoters, learners };
  if (pairs.length === 0) return configuration;
  const incarnations = new Map<NodeId, string>();
  for (let i = 0; i < pairs.length; i += 2) {
    const [id, incarnation] = [pairs[i]!, pairs[i + 1]];
    if (incarnation === undefined || incarnations.has(id) || !isMember(configuration, id)) return undefined;
    incarnations.set(id, incarnation);
  }
  return { ...configuration, incarnations: Object.fromEntries(incarnations) };
}
