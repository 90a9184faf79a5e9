import { HistoryError, type JsonValue, type Operation } from './history.js';

type Part = 'argument' | 'answer';

/** The value of an operation has not the form that its function needs. */
export function badValue(operation: Operation, part: Part, allowed: string): HistoryError {
  const position = part === 'argument' ? operation.invokedAt : operation.completedAt;
  const value = part === 'argument' ? operation.argument : operation.answer;
  const reason = `is ${JSON.stringify(value)} as the ${part} of ${operation.f}, must be ${allowed}`;
  return new HistoryError(`event ${position + 1}`, 'value', reason);
}

export function unknownFunction({ f, invokedAt }: Operation, model: string, known: readonly string[]): HistoryError {
  const reason = `is ${JSON.stringify(f)}, the model "${model}" knows ${known.join(', ')}`;
  return new HistoryError(`event ${invokedAt + 1}`, 'f', reason);
}

/** The value as an object that has no other fields than these; `null` is an empty one. */
export function fieldsOf(
  operation: Operation,
  part: Part,
  fields: readonly string[],
): Readonly<Record<string, JsonValue | undefined>> {
  const value = part === 'argument' ? operation.argument : (operation.answer ?? null);
  if (value === null) return {};
  const isObject = typeof value === 'object' && !Array.isArray(value);
  if (!isObject || Object.keys(value).some((field) => !fields.includes(field))) {
    throw badValue(operation, part, `an object of ${fields.join(', ')}`);
  }
  return value as Readonly<Record<string, JsonValue>>;
}

export function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
