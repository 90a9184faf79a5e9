/** Bytes that are not what they should be. Nothing was read from them. */
export class DecodeError extends Error {
  readonly code: 'MALFORMED' | 'UNSUPPORTED_VERSION' = 'MALFORMED';

  constructor(
    /** The part that could not be read, such as `session.sequence`. */
    readonly field: string,
    readonly reason: string,
  ) {
    super(`${field}: ${reason}`);
    this.name = 'DecodeError';
  }
}

/**
 * A version (or a kind within it) that this program does not know: a newer one wrote it. Met in the log or
 * in stored rows, the node must stop: whoever skipped it would hold another state than its peers.
 */
export class UnsupportedVersionError extends DecodeError {
  override readonly code = 'UNSUPPORTED_VERSION';

  constructor(
    readonly what: string,
    field: 'version' | 'kind',
    readonly actual: number,
  ) {
    super(field, `${field} ${actual} of a ${what} is not known here`);
    this.name = 'UnsupportedVersionError';
  }
}
