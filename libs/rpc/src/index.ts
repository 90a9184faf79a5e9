/**
 * What processes say to each other and how: the generated messages, clients and service definitions of `proto/`,
 * channels, the batched Execute stream, and the one table that relates error code, gRPC status, HTTP status, retry and
 * outcome. It carries; it does not decide.
 */
export { ERROR_TABLE, isErrorCode } from './error-table.js';
export type { ErrorCode, ErrorRule, OperationOutcome } from './error-table.js';
export { RingraftError } from './ringraft-error.js';
export type { ErrorFields } from './ringraft-error.js';
export { fromServiceError, toServiceError } from './service-error.js';

export { ExecuteStream } from './execute-stream.js';
export type { ExecuteStreamOptions, OperationRequest } from './execute-stream.js';
export { serveExecute } from './serve-execute.js';
export { assertCluster } from './cluster-key.js';
export { ROLE_NAMES, clusterHealth, isChanging } from './cluster-status.js';
export type { ClusterHealth } from './cluster-status.js';
export type { EventualResult, ExecuteHandler, Respond, ServeExecuteOptions } from './serve-execute.js';
export { errorOfResult, failedResult, outcomeOfResult, successResult } from './execute-result.js';

export { Channel, Channels } from './channel.js';
export type { ChannelSettings } from './channel.js';
export { CLIENT_OPTIONS, SERVER_OPTIONS } from './channel-options.js';
export { toPackageDefinition } from './package-definition.js';
export type { PackageDefinition } from './package-definition.js';
export { addReflection } from './reflection.js';

export {
  ElectionClient,
  ElectionService,
  ExpulsionReason,
  NotifyMembershipRequest,
  RequestVoteRequest,
  RequestVoteResponse,
  TimeoutNowRequest,
} from './gen/election.js';
export type { ElectionServer } from './gen/election.js';
export {
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  InstallSnapshotResponse_Verdict as SnapshotVerdict,
  SnapshotEnd,
  SnapshotHeader,
  SnapshotRange,
  SnapshotsClient,
  SnapshotsService,
} from './gen/snapshots.js';
export type { SnapshotsServer } from './gen/snapshots.js';
export {
  ConsistencyClient,
  ConsistencyService,
  QuarantineRequest,
  QuarantineResponse,
  StateHashRequest,
  StateHashResponse,
  StateHashes,
} from './gen/consistency.js';
export type { ConsistencyServer } from './gen/consistency.js';
export {
  AppendEntriesRequest,
  AppendEntriesResponse,
  Entry,
  EntryType,
  ReplicationClient,
  ReplicationService,
} from './gen/replication.js';
export type { ReplicationServer } from './gen/replication.js';
export {
  Condition,
  Consistency,
  DeleteRequest,
  DeleteResponse,
  ExecuteRequest,
  ExecuteResponse,
  GetRequest,
  GetResponse,
  KeyValueClient,
  KeyValueService,
  LeaderHint,
  OpenSessionRequest,
  OpenSessionResponse,
  Operation,
  Outcome,
  Result,
  Session,
  SetRequest,
  SetResponse,
} from './gen/kv.js';
export type { KeyValueServer } from './gen/kv.js';
export {
  AddNodeRequest,
  ChangeResponse,
  Member,
  MembershipClient,
  MembershipService,
  PromoteNodeRequest,
  RemoveNodeRequest,
  ReplaceNodeRequest,
  Role,
  StatusRequest,
  StatusResponse,
  TransferLeadershipRequest,
  TransferLeadershipResponse,
  UpdateNodeRequest,
} from './gen/admin.js';
export type { MembershipServer } from './gen/admin.js';
export { BackupClient, BackupService, SaveRequest, SaveResponse } from './gen/backup.js';
export type { BackupServer } from './gen/backup.js';
export {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthClient,
  HealthService,
} from './gen/health.js';
export type { HealthServer } from './gen/health.js';
