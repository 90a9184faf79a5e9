import { ContentHash } from './content-hash.js';
import { DecodeError } from './decode-error.js';
import { hex64 } from './hash64.js';
import type { StateHashes } from './hash-trail.js';
import type { Row } from './key-space.js';
import { decodeMeta } from './meta-row.js';
import { Prefix } from './rows.js';

export interface StateVerdict {
  /** What the state says of itself: the entry that it ends with, and the hashes there. */
  readonly appliedIndex: number;
  readonly recorded: StateHashes;
  /** The content that its rows have. */
  readonly content: string;
  /** False if a row was changed by anything but a command. */
  readonly isSound: boolean;
}

/**
 * Finds damage in a state at rest: hashes its rows again and compares that with what the state has recorded of itself.
 * It needs all rows of one moment, as a snapshot has them, in any order and as many at a time as suits the caller.
 */
export class StateCheck {
  private readonly content = new ContentHash();
  private meta: Uint8Array | undefined;

  /** Rows that are no user's record are passed over. */
  add({ key, value }: Row): void {
    if (key[0] === Prefix.User) this.content.add(key, value);
    else if (key[0] === Prefix.Meta) this.meta = value;
  }

  /** Throws `DecodeError` or `UnsupportedVersionError` if what the state says of itself is missing or cannot be read. */
  verdict(): StateVerdict {
    if (this.meta === undefined) throw new DecodeError('meta row', 'it is missing');
    const { appliedIndex, content, history } = decodeMeta(this.meta);
    const recorded = { content: hex64(content), history: hex64(history) };
    const actual = this.content.toString();
    return { appliedIndex, recorded, content: actual, isSound: actual === recorded.content };
  }
}
