import { ApiProperty } from '@nestjs/swagger';
import { registerDecorator } from 'class-validator';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Numbers only where JSON keeps them exact; beyond that as decimal text. Undefined for what is no 64-bit integer. */
export function parseDelta(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) return undefined;
  const delta = BigInt(value);
  return delta >= INT64_MIN && delta <= INT64_MAX ? delta : undefined;
}

function IsDelta(): PropertyDecorator {
  return (target, property) =>
    registerDecorator({
      name: 'isDelta',
      target: target.constructor,
      propertyName: property as string,
      validator: {
        validate: (value: unknown) => parseDelta(value) !== undefined,
        defaultMessage: () =>
          '$property must be an integer of 64 bits, as a number up to 2^53 - 1 or as decimal text ("-42")',
      },
    });
}

export class IncrementBody {
  @ApiProperty({
    description: 'What is added; a signed 64-bit integer, beyond 2^53 - 1 as decimal text',
    oneOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?[0-9]{1,19}$' }],
    example: 1,
  })
  @IsDelta()
  delta!: number | string;
}

export class IncrementResult {
  @ApiProperty({ description: 'The value after the addition, in decimal', example: '42' })
  value!: string;

  @ApiProperty({ description: "The key's revision", example: '17' })
  revision!: string;
}
