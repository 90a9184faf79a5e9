import type { ErrorCode } from '@app/rpc';

/** What `toThrow` and `toEqual` accept for an error with this code, which names this field and has these facts. */
export function refusal(code: ErrorCode, field?: string, facts: object = {}): Error {
  const errors = field === undefined ? {} : { errors: [expect.objectContaining({ field }) as object] };
  const matcher: unknown = expect.objectContaining({
    code,
    fields: expect.objectContaining({ ...facts, ...errors }) as object,
  });
  return matcher as Error;
}
