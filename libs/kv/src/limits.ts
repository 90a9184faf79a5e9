import type { Request } from './commands.js';

/** Configured, and the same on all nodes and gateways. */
export interface Limits {
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
}

export interface LimitError {
  readonly code: 'KEY_EMPTY' | 'KEY_TOO_LONG' | 'VALUE_TOO_LARGE';
  /** In bytes. For `KEY_EMPTY` the least that a key has. */
  readonly limit: number;
  readonly actual: number;
}

/**
 * What of this request is out of bounds, if anything. A node asks before it proposes; applying never asks,
 * because nodes with different settings would then hold different states.
 */
export function checkLimits(request: Request, limits: Limits): LimitError | undefined {
  // Keys to expire come from the state itself, where other limits may have been in force.
  if (request.kind === 'openSession' || request.kind === 'expire') return undefined;
  const keyBytes = request.key.length;
  if (keyBytes === 0) return { code: 'KEY_EMPTY', limit: 1, actual: 0 };
  if (keyBytes > limits.keyBytesMax) return { code: 'KEY_TOO_LONG', limit: limits.keyBytesMax, actual: keyBytes };
  if (request.kind !== 'set') return undefined;
  const valueBytes = request.value.length;
  return valueBytes > limits.valueBytesMax
    ? { code: 'VALUE_TOO_LARGE', limit: limits.valueBytesMax, actual: valueBytes }
    : undefined;
}
