import { Module } from '@nestjs/common';
import { CurrentPlacement } from './current-placement.js';

/** Key -> slot -> cluster. */
@Module({ providers: [CurrentPlacement], exports: [CurrentPlacement] })
export class HashingModule {}
