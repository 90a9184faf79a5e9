import type { PipeTransform, Type } from '@nestjs/common';
import { validateSync, type ValidationError } from 'class-validator';
import { RingraftError } from '@app/rpc';
import type { HttpRequest } from '../http-types.js';

/**
 * The DTO of a query string, checked by its decorators; unknown parameters are refused. Most requests have no query:
 * they share one instance and cost nothing.
 */
export class QueryPipe<T extends object> implements PipeTransform<object, T> {
  private readonly none: T;

  constructor(private readonly Dto: Type<T>) {
    this.none = Object.freeze(new Dto());
  }

  transform(query: object): T {
    return Object.keys(query).length === 0 ? this.none : checked(this.Dto, query);
  }
}

/** The DTO in a JSON body. Throws UNSUPPORTED_MEDIA_TYPE or INVALID_REQUEST. */
export function jsonBody<T extends object>(Dto: Type<T>, request: HttpRequest): T {
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') {
    throw new RingraftError('UNSUPPORTED_MEDIA_TYPE', 'the body must be application/json');
  }
  let body: unknown;
  try {
    body = JSON.parse((request.body ?? '').toString());
  } catch {
    throw refused([{ field: 'body', message: 'must be JSON' }]);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw refused([{ field: 'body', message: 'must be a JSON object' }]);
  }
  return checked(Dto, body);
}

const NOT_KNOWN = 'is not known here';

function checked<T extends object>(Dto: Type<T>, plain: object): T {
  // `constructor` or `__proto__` would make another class of the DTO, with other rules.
  const inherited = Object.keys(plain).filter((field) => field in Object.prototype);
  if (inherited.length > 0) throw refused(inherited.map((field) => ({ field, message: NOT_KNOWN })));
  const dto = Object.assign(new Dto(), plain);
  const errors = validateSync(dto, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });
  if (errors.length > 0) throw refused(errors.map(fieldError));
  return dto;
}

function fieldError({ property, constraints }: ValidationError): { field: string; message: string } {
  if (constraints?.whitelistValidation !== undefined) return { field: property, message: NOT_KNOWN };
  const messages = Object.values(constraints ?? {}).map((message) => message.replace(`${property} `, ''));
  return { field: property, message: messages.join('; ') };
}

function refused(errors: readonly { field: string; message: string }[]): RingraftError {
  const detail = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new RingraftError('INVALID_REQUEST', detail, { errors });
}
