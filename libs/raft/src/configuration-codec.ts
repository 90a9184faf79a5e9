import type { Configuration } from './configuration.js';
import { isMember } from './configuration.js';
import type { NodeId } from './entry.js';

/** Without addresses and joining learners, as all were written before there were any; else with them. */
const VERSION_WITHOUT_PLACES = 1;
const VERSION = 2;
const NAME_LENGTH_MAX = 255;

/** What the encoding can carry: names of nodes, incarnations and addresses are 1 to 255 visible ASCII characters. */
export function isName(text: string): boolean {
  return text.length <= NAME_LENGTH_MAX && /^[\x21-\x7e]+$/.test(text);
}

/**
 * The data of a configuration entry: a version byte, then voters, outgoing voters, learners, incarnations and, from version 2 on, addresses
 * and joining learners (these as name after name), each list behind its count in two bytes (big-endian), each name behind its length in one.
 * Throws a `RangeError` for what `isName` refuses.
 */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const { voters, outgoingVoters, learners, incarnations = {}, addresses = {}, joining = {} } = configuration;
  const lists = [voters, outgoingVoters, learners, Object.entries(incarnations).flat()];
  const places = [Object.entries(addresses).flat(), Object.entries(joining).flat()];
  const hasPlaces = places.some((list) => list.length > 0);
  const bytes: number[] = [hasPlaces ? VERSION : VERSION_WITHOUT_PLACES];
  for (const list of hasPlaces ? [...lists, ...places] : lists) {
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
  const version = bytes[0];
  if (version !== VERSION && version !== VERSION_WITHOUT_PLACES) return undefined;
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
  const [voters, outgoingVoters, learners] = [list(), list(), list()];
  if (!voters || !outgoingVoters || !learners) return undefined;
  for (const names of [voters, outgoingVoters, learners]) if (new Set(names).size < names.length) return undefined;
  const members = { voters, outgoingVoters, learners };
  const record = (): Record<NodeId, string> | undefined => {
    const pairs = list();
    return pairs && recordFrom(pairs, (id) => isMember(members, id));
  };
  const incarnations = record();
  const addresses = version === VERSION ? record() : {};
  const joining = version === VERSION ? record() : {};
  if (!incarnations || !addresses || !joining || at !== bytes.length) return undefined;
  if (Object.keys(joining).some((id) => !learners.includes(id))) return undefined;
  const hasPlaces = [addresses, joining].some(isFilled);
  if (hasPlaces !== (version === VERSION)) return undefined;
  return {
    ...members,
    ...(isFilled(incarnations) && { incarnations }),
    ...(isFilled(addresses) && { addresses }),
    ...(isFilled(joining) && { joining }),
  };
}

/** Undefined unless it is pairs of one name each, which `isKnown`, and something about it. */
function recordFrom(pairs: readonly string[], isKnown: (id: NodeId) => boolean): Record<NodeId, string> | undefined {
  const record = new Map<NodeId, string>();
  for (let i = 0; i < pairs.length; i += 2) {
    const [id, value] = [pairs[i]!, pairs[i + 1]];
    if (value === undefined || record.has(id) || !isKnown(id)) return undefined;
    record.set(id, value);
  }
  return Object.fromEntries(record);
}

function isFilled(record: Readonly<Record<NodeId, string>>): boolean {
  return Object.keys(record).length > 0;
}
