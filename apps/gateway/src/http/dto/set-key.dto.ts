import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, registerDecorator } from 'class-validator';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** 100 years: more is a mistake in the unit. */
const TTL_MS_MAX = 36_525 * 86_400_000;

/** `30s` in milliseconds; undefined for what is no duration above 0 and up to 100 years. */
function parseTtlMs(text: unknown): number | undefined {
  const [, count = '', unit = ''] = typeof text === 'string' ? (/^(\d{1,15})(ms|s|m|h|d)$/.exec(text) ?? []) : [];
  const ttlMs = Number(count) * (UNIT_MS[unit] ?? 0);
  return ttlMs > 0 && ttlMs <= TTL_MS_MAX ? ttlMs : undefined;
}

function IsTtl(): PropertyDecorator {
  return (target, property) =>
    registerDecorator({
      name: 'isTtl',
      target: target.constructor,
      propertyName: property as string,
      validator: {
        validate: (value: unknown) => parseTtlMs(value) !== undefined,
        defaultMessage: () =>
          '$property must be a whole number above 0 with its unit (ms, s, m, h or d), such as 30s, up to 100 years',
      },
    });
}

export class SetKeyQuery {
  @ApiPropertyOptional({
    description: 'The key expires after this time',
    example: '30s',
    pattern: '^[0-9]+(ms|s|m|h|d)$',
  })
  @IsOptional()
  @IsTtl()
  ttl?: string;
}

/** 0 keeps the key for ever. */
export function ttlMsOf({ ttl }: SetKeyQuery): number {
  return ttl === undefined ? 0 : (parseTtlMs(ttl) ?? 0);
}
