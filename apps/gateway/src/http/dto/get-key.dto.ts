import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';

const CONSISTENCIES = ['linearizable', 'stale'] as const;

export class GetKeyQuery {
  @ApiPropertyOptional({
    description:
      'linearizable: reflects every write that was acknowledged before. stale: whatever some node of the cluster has applied.',
    enum: CONSISTENCIES,
    default: 'linearizable',
  })
  @IsOptional()
  @IsIn(CONSISTENCIES, { message: `$property must be ${CONSISTENCIES.join(' or ')}` })
  consistency?: (typeof CONSISTENCIES)[number];
}
