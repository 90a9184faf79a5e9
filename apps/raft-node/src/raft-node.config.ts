import { IsArray, IsBoolean, IsInt, IsNotEmpty, IsString, Matches, Max, Min } from 'class-validator';
import type { RaftConfig } from '@app/raft';
import {
  IsListenAddress,
  Option,
  ProcessConfig,
  parseHostPort,
  formatHostPort,
  type ChecksTogether,
} from '@app/platform';

/** A member of this node's cluster. */
export interface Peer {
  readonly nodeId: string;
  /** host:port of its gRPC server. */
  readonly address: string;
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const NAME_RULE = { message: 'must be 1 to 64 letters, digits, dots, dashes or underscores' };
const MIB = 1024 * 1024;

/** The core counts time in ticks of this length. */
const TICKS_PER_HEARTBEAT = 2;

export class RaftNodeConfig extends ProcessConfig implements ChecksTogether {
  /** The Raft group that this node is a member of. A log that belongs to another cluster is refused at start. */
  @Option({
    describe: 'The name of the cluster that this node belongs to',
    unit: 'name',
    agree: 'all nodes of a cluster',
  })
  @Matches(NAME, NAME_RULE)
  clusterId!: string;

  /** Unique within the cluster, and for ever tied to one data directory. */
  @Option({ describe: 'The name of this node, one of those in `peers`', unit: 'name' })
  @Matches(NAME, NAME_RULE)
  nodeId!: string;

  /** Holds the log (`log/`) and the state database (`state/`). One process at a time. */
  @Option({ describe: 'Where this node keeps its log and its state', unit: 'directory' })
  @IsString()
  @IsNotEmpty()
  dataDir!: string;

  @Option({ describe: 'Address of the gRPC server, for peers and gateways', unit: 'host:port' })
  @IsListenAddress()
  listen = '127.0.0.1:7001';

  @Option({ describe: 'Address of the HTTP server for /livez, /readyz and /metrics', unit: 'host:port' })
  @IsListenAddress()
  opsListen = '127.0.0.1:7101';

  /**
   * A new cluster begins with these as its voters. Later the cluster's configuration says who is a member and where, and only this node's own
   * address is of interest, which is that at which the others find it.
   */
  @Option({
    describe: 'The members that a new cluster begins with, this node included; with `join` at least this node',
    unit: 'name=host:port,...',
    agree: 'all nodes that a cluster begins with',
    parse: parsePeers,
    format: formatPeers,
  })
  @IsArray()
  peers!: Peer[];

  /**
   * A follower that hears nothing from a leader for this long, plus a random share of as much again, asks for votes. Shorter
   * means a faster failover and more false alarms on a busy machine.
   */
  @Option({
    describe: 'How long a follower waits for its leader before it asks for votes (the least; at most twice as long)',
    unit: 'ms',
    agree: 'all nodes of a cluster',
  })
  @IsInt()
  @Min(50)
  @Max(60_000)
  electionTimeoutMs = 500;

  @Option({ describe: 'How often a leader asserts itself', unit: 'ms', agree: 'all nodes of a cluster' })
  @IsInt()
  @Min(8)
  @Max(10_000)
  heartbeatMs = 100;

  @Option({ describe: 'Bytes of the longest key', unit: 'bytes', agree: 'all nodes and gateways' })
  @IsInt()
  @Min(1)
  @Max(65_536)
  keyBytesMax = 4096;

  /** The log entry, the gRPC frames and the memory of every node must hold it. */
  @Option({ describe: 'Bytes of the largest value', unit: 'bytes', agree: 'all nodes and gateways' })
  @IsInt()
  @Min(1)
  @Max(8 * MIB)
  valueBytesMax = MIB;

  /** Above it operations are refused as OVERLOADED, surely not applied. */
  @Option({ describe: 'Operations that may wait for their answer at once', unit: 'operations' })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  pendingOperationsMax = 20_000;

  /** The bound for operations whose caller gives none; then a write is unknown and a read has failed. */
  @Option({ describe: 'How long an operation may wait when its caller sets no timeout', unit: 'ms' })
  @IsInt()
  @Min(1)
  @Max(600_000)
  operationTimeoutMs = 10_000;

  /** The log is preallocated and removed by whole segments. */
  @Option({ describe: 'Size of a segment of the log', unit: 'bytes' })
  @IsInt()
  @Min(64 * 1024)
  @Max(1024 * MIB)
  segmentBytesMax = 64 * MIB;

  /** The log is compacted behind what the state database holds, except for so many entries, which a follower that lags a little still needs. */
  @Option({ describe: 'Applied entries that stay in the log for members that lag', unit: 'entries' })
  @IsInt()
  @Min(0)
  @Max(100_000_000)
  retainedEntries = 100_000;

  /** Beyond it fewer entries are retained; what the state database does not hold yet, or a transfer still needs, stays in any case. */
  @Option({ describe: 'Bytes of the log on disk above which fewer entries are retained', unit: 'bytes' })
  @IsInt()
  @Min(1024 * 1024)
  @Max(1024 * 1024 * MIB)
  logBytesMax = 512 * MIB;

  /** A member that needs the whole state must not slow down the others. */
  @Option({ describe: 'How fast the state is sent to a member that is too far behind', unit: 'bytes per second' })
  @IsInt()
  @Min(64 * 1024)
  @Max(16 * 1024 * MIB)
  snapshotBytesPerSecond = 64 * MIB;

  /** A quarter of it is left to what frees space (deletes, expiry). */
  @Option({ describe: 'Free space on the disk below which writes are refused as STORAGE_FULL', unit: 'bytes' })
  @IsInt()
  @Min(0)
  @Max(1024 * 1024 * MIB)
  diskReserveBytes = 256 * MIB;

  /** Above it, while another member is faster, the leadership is handed over. */
  @Option({ describe: 'How long a sync of the disk may take before a leader hands over', unit: 'ms' })
  @IsInt()
  @Min(10)
  @Max(60_000)
  slowDiskMs = 1_000;

  @Option({ describe: 'How often a leader compares the state of all members; 0: never', unit: 'ms' })
  @IsInt()
  @Min(0)
  @Max(86_400_000)
  consistencyCheckMs = 5_000;

  /** Reads the whole state, slowly, and compares it with the hash that every write maintains. */
  @Option({ describe: 'How often a node verifies its whole state on the disk; 0: never', unit: 'ms' })
  @IsInt()
  @Min(0)
  @Max(604_800_000)
  stateScrubMs = 86_400_000;

  /** Without it a cluster whose members have all moved at once finds nobody: a change of addresses needs a leader. */
  @Option({
    describe: 'Believe `peers` where the configuration of the cluster has other addresses, and correct that',
  })
  @IsBoolean()
  trustPeers = false;

  @Option({
    describe: 'Join a cluster that runs: count nobody, and wait until its leader adds this node',
  })
  @IsBoolean()
  join = false;

  @Option({
    describe: 'Remove all that this node keeps in its data directory, and exit. It can come back only as a new member',
  })
  @IsBoolean()
  wipe = false;

  @Option({
    describe:
      'Ask the node that runs with this configuration to hand its leadership over, and exit: before it is stopped',
  })
  @IsBoolean()
  handOver = false;

  @Option({ describe: 'How long operations under way may take to finish at shutdown', unit: 'ms' })
  @IsInt()
  @Min(0)
  @Max(60_000)
  drainTimeoutMs = 2_000;

  faultsTogether(): string[] {
    const faults: string[] = [];
    if (!this.peers.some((peer) => peer.nodeId === this.nodeId)) {
      faults.push(
        `peers: must name this node (${this.nodeId}), it names ${this.peers.map((p) => p.nodeId).join(', ')}`,
      );
    }
    if (this.electionTimeoutMs < 3 * this.heartbeatMs) {
      faults.push(
        `electionTimeoutMs: must be at least three heartbeats (3 x ${this.heartbeatMs} ms), it is ${this.electionTimeoutMs}`,
      );
    }
    return faults;
  }

  /** Length of a tick of the core. */
  get tickMs(): number {
    return Math.max(1, Math.floor(this.heartbeatMs / TICKS_PER_HEARTBEAT));
  }

  toRaftConfig(): RaftConfig {
    return {
      id: this.nodeId,
      electionTimeoutTicks: Math.ceil(this.electionTimeoutMs / this.tickMs),
      heartbeatTicks: TICKS_PER_HEARTBEAT,
      preVote: true,
      checkQuorum: true,
      leaseTicks: 0,
      appendBytesMax: MIB,
      // Few, so that entries gather behind the ones under way and share messages and syncs.
      inflightMessagesMax: 2,
      inflightBytesMax: 4 * MIB,
      uncommittedBytesMax: 64 * MIB,
      pendingReadsMax: this.pendingOperationsMax,
      applyBytesMax: MIB,
      retainedEntries: this.retainedEntries,
      cacheBytesMax: 16 * MIB,
    };
  }
}

const PEERS_RULE = 'must be name=host:port pairs with commas between them, each name and address once';

function parsePeers(text: string): Peer[] {
  const peers = text.split(',').map((part): Peer => {
    const at = part.indexOf('=');
    const nodeId = part.slice(0, at).trim();
    if (at < 0 || !NAME.test(nodeId)) throw new Error(`${PEERS_RULE}; "${part}" is none`);
    try {
      return { nodeId, address: formatHostPort(parseHostPort(part.slice(at + 1).trim())) };
    } catch {
      throw new Error(`${PEERS_RULE}; "${part}" is none`);
    }
  });
  const isUnique = (texts: string[]) => new Set(texts).size === texts.length;
  if (!isUnique(peers.map((peer) => peer.nodeId)) || !isUnique(peers.map((peer) => peer.address))) {
    throw new Error(PEERS_RULE);
  }
  return peers;
}

function formatPeers(peers: readonly Peer[]): string {
  return peers.map((peer) => `${peer.nodeId}=${peer.address}`).join(',');
}
