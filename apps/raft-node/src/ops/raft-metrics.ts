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
    this.gauge('log_last_index', 'The index of the last entry of the log', (s) => s.lastIndex);
    this.gauge('commit_index', 'The highest index known to be committed', (s) => s.commitIndex);
    this.gauge('applied_index', 'The highest index that the state machine has applied', (s) => s.appliedIndex);
    this.gauge('proposals_pending', 'Commands that wait for their answer', () => this.driver.pendingProposals);
    this.gauge('read_index_pending', 'Reads that wait for a quorum to confirm the leader', (s) => s.pendingReads);
    this.gauge('uncommitted_bytes', 'Bytes that this leader has appended and not committed', (s) => s.uncommittedBytes);
    this.gauge('log_size_bytes', 'Bytes of the log on the disk', () => this.log.sizeBytes);
    this.gauge('revision', 'The revision of the state machine', () => this.stateMachine.revision);
    this.gauge('sessions', 'Client sessions in the state machine', () => this.stateMachine.sessionCount);
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

  private counter(name: string, help: string, read: () => number): void {
    new Counter({
      name: `ringraft_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
