import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';
import { StateMachine } from '@app/kv';
import { Raft, type RaftStatus } from '@app/raft';
import { WriteAheadLog } from '@app/storage';
import { RaftDriver } from '../consensus/raft-driver.js';

/** The state of this member of its cluster, read when it is asked for. */
@Injectable()
export class RaftMetrics implements OnModuleInit {
  constructor(
    private readonly registry: Registry,
    private readonly raft: Raft,
    private readonly driver: RaftDriver,
    private readonly log: WriteAheadLog,
    private readonly stateMachine: StateMachine,
  ) {}

  onModuleInit(): void {
    this.gauge('has_leader', 'Whether this node knows a leader (1) or not (0)', (s) =>
      s.leaderId === undefined ? 0 : 1,
    );
    this.gauge('is_leader', 'Whether this node is the leader (1) or not (0)', (s) => (s.role === 'leader' ? 1 : 0));
    this.gauge('term', 'The current term', (s) => s.term);
    this.gauge(
      'log_first_index',
      'The index of the first entry of the log; what is before it is compacted',
      (s) => s.firstIndex,
    );
    this.gauge('log_last_index', 'The index of the last entry of the log', (s) => s.lastIndex);
    this.gauge('commit_index', 'The highest index known to be committed', (s) => s.commitIndex);
    this.gauge('applied_index', 'The highest index that the state machine has applied', (s) => s.appliedIndex);
    this.gauge('proposals_pending', 'Commands that wait for their answer', () => this.driver.pendingProposals);
    this.gauge('read_index_pending', 'Reads that wait for a quorum to confirm the leader', (s) => s.pendingReads);
    this.gauge('uncommitted_bytes', 'Bytes that this leader has appended and not committed', (s) => s.uncommittedBytes);
    this.gauge('log_size_bytes', 'Bytes of the log on the disk', () => this.log.sizeBytes);
    this.gauge('revision', 'The revision of the state machine', () => this.stateMachine.revision);
    this.gauge('sessions', 'Client sessions in the state machine', () => this.stateMachine.sessionCount);
    this.memberGauge(
      'member_lag_entries',
      'On a leader, entries of its log that a member is not known to have stored',
      ({ matchIndex }, { lastIndex }) => lastIndex - matchIndex,
    );
    this.memberGauge('member_active', 'On a leader, whether it hears a member (1) or not (0)', ({ isActive }) =>
      isActive ? 1 : 0,
    );
    this.counter(
      'proposals_committed_total',
      'Entries of the log that are committed, counted from the first one of the cluster',
      (s) => s.commitIndex,
    );
    this.counter(
      'proposals_applied_total',
      'Entries of the log that the state machine has applied, counted from the first one of the cluster',
      (s) => s.appliedIndex,
    );
    this.counter(
      'read_index_failed_total',
      'Linearizable reads that no quorum has confirmed',
      () => this.driver.failedReads,
    );
    this.counter(
      'peer_messages_refused_total',
      'Messages of peers that no correct node sends to this one',
      () => this.driver.refusedMessages,
    );
    this.counter('leader_changes_total', 'Leaders that this node has seen', () => this.driver.leaderChanges);
    this.counter(
      'proposals_failed_total',
      'Commands that were refused or whose outcome is unknown',
      () => this.driver.failedProposals,
    );
  }

  private gauge(name: string, help: string, read: (status: RaftStatus) => number): void {
    const { raft } = this;
    new Gauge({
      name: `ringraft_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read(raft.status()));
      },
    });
  }

  /** The leader knows of the others, and of nobody else is anything told. */
  private memberGauge(
    name: string,
    help: string,
    read: (member: RaftStatus['members'][number], status: RaftStatus) => number,
  ): void {
    const { raft } = this;
    new Gauge({
      name: `ringraft_${name}`,
      help,
      labelNames: ['member'],
      registers: [this.registry],
      collect() {
        this.reset();
        const status = raft.status();
        for (const member of status.members) {
          if (member.id !== status.id) this.set({ member: member.id }, read(member, status));
        }
      },
    });
  }

  private counter(name: string, help: string, read: (status: RaftStatus) => number): void {
    const { raft } = this;
    new Counter({
      name: `ringraft_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read(raft.status()));
      },
    });
  }
}
