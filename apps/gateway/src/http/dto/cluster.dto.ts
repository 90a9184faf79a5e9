import { ApiProperty } from '@nestjs/swagger';

export class NodeView {
  @ApiProperty({ example: 'c1-n1' })
  id!: string;

  @ApiProperty({ example: '127.0.0.1:7001' })
  address!: string;

  @ApiProperty({ description: 'Whether it answered in time; the fields that only it knows are null if not' })
  is_reachable!: boolean;

  @ApiProperty({ enum: ['leader', 'follower', 'candidate', 'pre_candidate', 'unknown'], nullable: true, type: String })
  role!: string | null;

  @ApiProperty({ nullable: true, type: Number, example: 3 })
  term!: number | null;

  @ApiProperty({ nullable: true, type: Number })
  first_index!: number | null;

  @ApiProperty({ nullable: true, type: Number })
  last_index!: number | null;

  @ApiProperty({ nullable: true, type: Number })
  commit_index!: number | null;

  @ApiProperty({ nullable: true, type: Number })
  applied_index!: number | null;

  @ApiProperty({
    description: 'Committed entries of the leader that this node has not applied',
    nullable: true,
    type: Number,
  })
  lag!: number | null;

  @ApiProperty({ nullable: true, type: String, example: '17' })
  revision!: string | null;

  @ApiProperty({ description: 'Bytes of the log on the disk', nullable: true, type: Number })
  log_bytes!: number | null;

  @ApiProperty({ description: 'Bytes of the state on the disk', nullable: true, type: Number })
  state_bytes!: number | null;

  @ApiProperty({ nullable: true, type: Number })
  uptime_seconds!: number | null;

  @ApiProperty({ nullable: true, type: String, example: '0.1.0' })
  version!: string | null;

  @ApiProperty({
    description: 'Whether its state differs from that of the others: then it stores entries and answers no client',
    nullable: true,
    type: Boolean,
  })
  is_quarantined!: boolean | null;

  @ApiProperty({
    description: 'Set on a node that the cluster does not regard as its member: what to do about it',
    nullable: true,
    type: String,
  })
  expulsion!: string | null;

  @ApiProperty({
    description: 'Hash of all records at `applied_index`: equal on all members that are at the same index',
    nullable: true,
    type: String,
    example: '9ae16a3b2f90404f',
  })
  content_hash!: string | null;

  @ApiProperty({
    description: 'Hash of all entries and answers up to `applied_index`',
    nullable: true,
    type: String,
    example: 'c3a5c85c97cb3127',
  })
  history_hash!: string | null;

  @ApiProperty({ description: 'Empty when healthy', type: [String] })
  unhealthy_reasons!: string[];

  @ApiProperty({ description: 'A member that counts nowhere; null while nobody leads', nullable: true, type: Boolean })
  is_learner!: boolean | null;

  @ApiProperty({ description: 'A learner that becomes a voter by itself', nullable: true, type: Boolean })
  is_joining!: boolean | null;

  @ApiProperty({ description: 'The voter that leaves when this learner becomes one', nullable: true, type: String })
  replaces!: string | null;

  @ApiProperty({
    description: 'Up to where the log is stored here, as far as the leader knows: also of a node that does not answer',
    nullable: true,
    type: Number,
  })
  match_index!: number | null;

  @ApiProperty({ description: 'Whether the leader hears it', nullable: true, type: Boolean })
  is_active!: boolean | null;
}

export class ClusterView {
  @ApiProperty({ example: 'c1' })
  id!: string;

  @ApiProperty({ example: 1 })
  weight!: number;

  @ApiProperty({ description: 'How many of the slots it owns', example: 5461 })
  slots!: number;

  @ApiProperty({
    description:
      'healthy: a leader, and every node well. degraded: it serves, but not every node is well. unavailable: it cannot take writes.',
    enum: ['healthy', 'degraded', 'unavailable'],
  })
  health!: string;

  @ApiProperty({ description: 'The id of the node that leads', nullable: true, type: String, example: 'c1-n2' })
  leader!: string | null;

  @ApiProperty({ nullable: true, type: Number, example: 3 })
  term!: number | null;

  @ApiProperty({
    description: 'The log entry that set the membership in force at the leader; 0 for the one it was started with',
    nullable: true,
    type: Number,
  })
  configuration_index!: number | null;

  @ApiProperty({ description: 'Whether a change of the membership is under way', nullable: true, type: Boolean })
  is_changing!: boolean | null;

  @ApiProperty({ type: [NodeView] })
  nodes!: NodeView[];
}

export class PlacementView {
  @ApiProperty({ description: 'The epoch of the placement', example: 1 })
  epoch!: number;

  @ApiProperty({ example: 16384 })
  slot_count!: number;

  @ApiProperty({ type: [ClusterView] })
  clusters!: ClusterView[];
}
