import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { StateMachine } from '@app/kv';
import { Health, VERSION } from '@app/platform';
import { Raft, isJoint, membersOf, recordOf, type RaftStatus, type Role } from '@app/raft';
import { Role as WireRole, type Member, type StatusResponse } from '@app/rpc';
import { WriteAheadLog } from '@app/storage';
import { NodeCondition } from '../condition/node-condition.js';
import { expulsionAdvice } from '../consensus/expulsion.js';
import { Persistence } from '../consensus/persistence.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { directoryBytes } from '../storage/directory-bytes.js';

const ROLE_TO_WIRE: Readonly<Record<Role, WireRole>> = {
  follower: WireRole.FOLLOWER,
  preCandidate: WireRole.PRE_CANDIDATE,
  candidate: WireRole.CANDIDATE,
  leader: WireRole.LEADER,
};

const NO_HASHES = { content: '', history: '' };

/** What a node knows of itself and, as a leader, of the others. It answers without a quorum. */
@Injectable()
export class NodeStatus {
  constructor(
    private readonly config: RaftNodeConfig,
    private readonly directory: PeerDirectory,
    private readonly raft: Raft,
    private readonly log: WriteAheadLog,
    private readonly stateMachine: StateMachine,
    private readonly persistence: Persistence,
    private readonly health: Health,
    private readonly condition: NodeCondition,
  ) {}

  async read(): Promise<StatusResponse> {
    const stateBytes = await directoryBytes(join(this.config.dataDir, 'state'));
    const status = this.raft.status();
    // While another state is put in place, the hashes are not yet those of the applied index.
    const { content, history } = this.persistence.isInstalling ? NO_HASHES : this.stateMachine.hashes;
    return {
      clusterId: this.directory.clusterId,
      nodeId: status.id,
      role: ROLE_TO_WIRE[status.role],
      term: status.term,
      leaderId: status.leaderId ?? '',
      firstIndex: status.firstIndex,
      lastIndex: status.lastIndex,
      commitIndex: status.commitIndex,
      appliedIndex: status.appliedIndex,
      revision: this.stateMachine.revision,
      members: this.members(status),
      version: VERSION,
      uptimeSeconds: Math.floor(process.uptime()),
      logBytes: this.log.sizeBytes,
      unhealthyReasons: this.health
        .readiness()
        .filter(({ ok }) => !ok)
        .map(({ name, reason }) => `${name}: ${reason ?? 'failed'}`),
      isQuarantined: this.condition.has('quarantined'),
      expulsion: status.expulsion === undefined ? '' : expulsionAdvice(status.expulsion),
      incarnation: this.log.incarnation,
      contentHash: content,
      historyHash: history,
      stateBytes,
      configurationIndex: status.configurationIndex,
      isConfigurationJoint: isJoint(status.configuration),
    };
  }

  members(status: RaftStatus = this.raft.status()): Member[] {
    const known = new Map(status.members.map((member) => [member.id, member]));
    const { configuration } = status;
    return membersOf(configuration).map((id) => {
      const isSelf = id === status.id;
      const takesPlaceOf = recordOf(configuration.joining, id);
      return {
        nodeId: id,
        address: this.directory.addressOf(id) ?? '',
        isLearner: configuration.learners.includes(id),
        isJoining: takesPlaceOf !== undefined,
        replaces: takesPlaceOf === undefined || takesPlaceOf === id ? '' : takesPlaceOf,
        matchIndex: isSelf ? status.persistedIndex : (known.get(id)?.matchIndex ?? 0),
        isActive: isSelf || (known.get(id)?.isActive ?? false),
      };
    });
  }
}
