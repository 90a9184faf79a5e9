import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class FieldProblem {
  @ApiProperty({ example: 'ttl' })
  field!: string;

  @ApiProperty({ example: 'must be a whole number above 0 with its unit' })
  message!: string;
}

/** RFC 9457 problem details, with what a caller needs to decide about a retry. */
export class Problem {
  @ApiProperty({ example: 'urn:ringraft:error:PRECONDITION_FAILED' })
  type!: string;

  @ApiProperty({ example: 'Condition failed' })
  title!: string;

  @ApiProperty({ example: 412 })
  status!: number;

  @ApiProperty({ example: 'the key is at revision 17' })
  detail!: string;

  @ApiProperty({ description: 'Decide by this, never by the texts', example: 'PRECONDITION_FAILED' })
  code!: string;

  @ApiProperty({ description: 'The same request may be sent again, may succeed, and cannot be applied twice' })
  retryable!: boolean;

  @ApiProperty({ enum: ['applied', 'not_applied', 'unknown'] })
  outcome!: string;

  @ApiPropertyOptional({ description: 'As in the header X-Request-Id', example: '4f0c2a9be1d7-1k' })
  request_id?: string;

  @ApiPropertyOptional({ description: 'The bound that was exceeded' })
  limit?: number;

  @ApiPropertyOptional({ description: 'By what' })
  actual?: number;

  @ApiPropertyOptional({ description: "The key's revision now, '0' when it does not exist", example: '17' })
  revision?: string;

  @ApiPropertyOptional({ type: [FieldProblem] })
  errors?: FieldProblem[];
}
