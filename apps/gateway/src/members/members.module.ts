import { Module } from '@nestjs/common';
import { HashingModule } from '../hashing/hashing.module.js';
import { ClusterMembers } from './cluster-members.js';

/** Who is in each cluster now. */
@Module({ imports: [HashingModule], providers: [ClusterMembers], exports: [ClusterMembers] })
export class MembersModule {}
