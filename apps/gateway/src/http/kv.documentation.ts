import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiHeader, ApiParam, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ERROR_TABLE, type ErrorCode } from '@app/rpc';
import { Problem } from './dto/problem.dto.js';

const ETAG = {
  ETag: { description: "The key's revision, quoted", schema: { type: 'string', example: '"17"' } },
} as const;
const RAW = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } as const;

/** One response per status, with what the error table says of each code. */
function problems(...codes: readonly ErrorCode[]): MethodDecorator & ClassDecorator {
  const statuses = new Set(codes.map((code) => ERROR_TABLE[code].httpStatus));
  return applyDecorators(
    ...[...statuses].map((status) =>
      ApiResponse({
        status,
        description: codes
          .filter((code) => ERROR_TABLE[code].httpStatus === status)
          .map((code) => `${code}: ${ERROR_TABLE[code].meaning}`)
          .join(' '),
        type: Problem,
      }),
    ),
  );
}

/** What all routes about one key have in common. */
export function DocumentsKeyRoutes(tag: string): ClassDecorator {
  return applyDecorators(
    ApiTags(tag),
    ApiParam({
      name: 'key',
      description: 'Any bytes, percent-encoded; a slash inside a key is %2F',
      schema: { type: 'string', example: 'user%2F42' },
    }),
    problems('INVALID_REQUEST', 'KEY_EMPTY', 'KEY_TOO_LONG', 'INVALID_LEADER', 'OVERLOADED'),
  );
}

export function DocumentsPut(): MethodDecorator {
  return applyDecorators(
    ApiConsumes('*/*'),
    ApiBody({
      description: 'The value: stored as it is, with its Content-Type',
      schema: { type: 'string', format: 'binary' },
    }),
    ApiHeader({ name: 'If-Match', required: false, description: 'Replace only this revision ("17"), or any (*)' }),
    ApiHeader({ name: 'If-None-Match', required: false, description: '* creates only' }),
    ApiResponse({ status: 201, description: 'Created', headers: ETAG }),
    ApiResponse({ status: 200, description: 'Replaced', headers: ETAG }),
    problems('PRECONDITION_FAILED', 'VALUE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'OUTCOME_UNKNOWN', 'STORAGE_FULL'),
  );
}

export function DocumentsGet(): MethodDecorator {
  return applyDecorators(
    ApiProduces('*/*'),
    ApiHeader({ name: 'If-None-Match', required: false, description: 'Revisions that the caller has' }),
    ApiResponse({
      status: 200,
      description: 'The value, with the Content-Type it was stored with',
      headers: ETAG,
      content: RAW,
    }),
    ApiResponse({ status: 304, description: 'The caller has this revision', headers: ETAG }),
    problems('NOT_FOUND'),
  );
}

export function DocumentsDelete(): MethodDecorator {
  return applyDecorators(
    ApiHeader({ name: 'If-Match', required: false, description: 'Delete only this revision ("17"), or any (*)' }),
    ApiResponse({ status: 204, description: 'There is no such key any more, or there was none' }),
    problems('PRECONDITION_FAILED', 'OUTCOME_UNKNOWN'),
  );
}

export function DocumentsIncrement(): MethodDecorator {
  return problems('UNSUPPORTED_MEDIA_TYPE', 'PRECONDITION_FAILED', 'NOT_AN_INTEGER', 'OVERFLOW', 'OUTCOME_UNKNOWN');
}
