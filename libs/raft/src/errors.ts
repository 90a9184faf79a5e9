/**
 * Something that Raft proves impossible has happened: a bug, or a disk that forgot what it had
 * acknowledged. The node must stop; going on could lose or fork the log.
 */
export class InvariantViolationError extends Error {
  readonly code = 'INVARIANT_VIOLATION';

  constructor(message: string) {
    super(message);
    this.name = 'InvariantViolationError';
  }
}

export function invariant(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new InvariantViolationError(message());
}
