import { Module } from '@nestjs/common';
import { DiskPulse } from './disk-pulse.js';
import { NodeCondition } from './node-condition.js';

/** What is known of the node's health. It needs nothing, so that everyone can report to it and ask it. */
@Module({
  providers: [NodeCondition, { provide: DiskPulse, useFactory: () => new DiskPulse(() => performance.now()) }],
  exports: [NodeCondition, DiskPulse],
})
export class ConditionModule {}
