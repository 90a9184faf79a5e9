import { Module } from '@nestjs/common';
import { NodeCondition } from './node-condition.js';

/** What this node thinks of itself: one object that monitors write and the driver reads. */
@Module({
  providers: [NodeCondition],
  exports: [NodeCondition],
})
export class ConditionModule {}
