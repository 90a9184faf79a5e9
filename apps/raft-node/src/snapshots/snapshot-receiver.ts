import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DecodeError, StateCheck, UnsupportedVersionError, type StateVerdict } from '@app/kv';
import { LOG, type Log } from '@app/platform';
import type { InstallSnapshot, Term } from '@app/raft';
import { RingraftError, SnapshotVerdict, type SnapshotRange } from '@app/rpc';
import { CorruptStateError, StateFullError, StateStore, type StagedState } from '@app/storage';
import { NodeCondition } from '../condition/node-condition.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { PeerInbox } from '../peers/peer-inbox.js';
import type { ReceivedSnapshot } from '../peers/received-snapshot.js';
import { ArrivedRanges } from './arrived-ranges.js';
import { ReceivingStream, type ReceivingCall } from './receiving-stream.js';
import { SnapshotMetrics, type TransferResult } from './snapshot-metrics.js';
import { bytesOfRows, fromHeader, malformed, rangeOf } from './snapshot-wire.js';

/** Rows that are laid down with one sync, about. */
const PUT_BYTES_MAX = 1024 * 1024;

/** The rows of several ranges have no digest of their own: each was verified by itself. */
const VERIFIED = new Uint8Array(0);

/** What a transfer has left is thrown away when so long none has gone on with it, and entries were applied all the same. */
const UNWANTED_MS = 10 * 60_000;
const LOOK_MS = 60_000;

interface Transfer {
  readonly message: InstallSnapshot;
  readonly incarnation: string;
  readonly stream: ReceivingStream;
  readonly ranges: ArrivedRanges;
  /** Of the rows of all ranges that are there. */
  readonly check: StateCheck;
  bytes: number;
}

/**
 * Takes the state of another member, one stream at a time, and lays it down beside the one in use. Each range is durable before it is
 * acknowledged, and stays for the next stream when this one breaks. A whole state that does not contradict itself goes to the driver.
 *
 * The log comes first: on a full disk no rows are taken, and when the log itself has no room, what has arrived goes.
 */
@Injectable()
export class SnapshotReceiver implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Whose turn it is; resolves when that stream has let go of the staged state. */
  private current: { readonly stream: ReceivingStream; readonly ended: Promise<void> } | undefined;
  private lastTerm: Term = 0;
  /** Whole, and not yet released by the driver. */
  private installing: ReceivedSnapshot | undefined;
  private isStopped = false;
  private timer: NodeJS.Timeout | undefined;
  /** When the last stream ended, or the process began, and what was applied then. */
  private idleSince = { atMs: performance.now(), appliedIndex: 0 };

  constructor(
    private readonly store: StateStore,
    private readonly directory: PeerDirectory,
    private readonly inbox: PeerInbox,
    private readonly metrics: SnapshotMetrics,
    private readonly condition: NodeCondition,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.noteIdle();
    this.condition.onChange(() => void this.makeRoom());
    this.timer = setInterval(() => void this.discardUnwanted(performance.now()), LOOK_MS);
    void this.makeRoom();
  }

  /** Ends the stream in any case, and never throws. */
  async serve(call: ReceivingCall): Promise<void> {
    const stream = new ReceivingStream(call, this.directory.selfId);
    try {
      const { header } = await stream.next();
      if (header === undefined) throw malformed('the first message of the stream is no header');
      const { clusterId, recipientId, leaderId, recipientIncarnation } = header;
      this.directory.assertAddressedToSelf(clusterId, recipientId, leaderId, recipientIncarnation);
      const message = fromHeader(header);
      if (this.isSuperfluous(message)) {
        stream.answer(SnapshotVerdict.COMPLETE);
      } else {
        this.requireTurn(message);
        const ranges = new ArrivedRanges();
        const check = new StateCheck();
        await this.takeTurn({ message, incarnation: header.incarnation, stream, ranges, check, bytes: 0 });
      }
      stream.finish();
    } catch (error) {
      stream.finish(error);
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    this.current?.stream.finish(new RingraftError('SHUTTING_DOWN', 'the node is shutting down'));
    await this.current?.ended;
  }

  /** `nowMs` is a time of `performance.now()`. */
  async discardUnwanted(nowMs: number): Promise<void> {
    const { atMs, appliedIndex } = this.idleSince;
    if (nowMs - atMs < UNWANTED_MS || this.store.appliedIndex <= appliedIndex) return;
    await this.discardStaged('no transfer has gone on with it, and this node follows by the log');
  }

  private async makeRoom(): Promise<void> {
    const exhausted = this.condition.detailOf('storage_exhausted');
    if (exhausted !== undefined) this.current?.stream.finish(noSpace(exhausted));
    else if (!this.condition.has('storage_full')) return;
    await this.discardStaged('the disk is full');
  }

  /** What no stream is at work on. Never rejects. */
  private async discardStaged(reason: string): Promise<void> {
    const isInUse = this.current !== undefined || this.installing !== undefined || this.isStopped;
    if (isInUse || !this.store.hasStaged) return;
    try {
      await this.store.discardStaged();
      this.log.warn({ reason }, 'a state that was received in part has been thrown away');
    } catch (error) {
      // A stream that has begun meanwhile is at work on it, or the store is closed.
      this.log.warn({ err: error }, 'a state that was received in part could not be thrown away');
    }
  }

  private noteIdle(): void {
    this.idleSince = { atMs: performance.now(), appliedIndex: this.store.appliedIndex };
  }

  /** The sender did not learn that the state has arrived, or this node has caught up otherwise. */
  private isSuperfluous({ from, term, snapshot }: InstallSnapshot): boolean {
    const installing = this.installing?.message;
    const isInstalling =
      installing?.from === from && installing.term === term && installing.snapshot.index === snapshot.index;
    return isInstalling || this.store.appliedIndex >= snapshot.index;
  }

  private requireTurn({ from, term }: InstallSnapshot): void {
    if (this.isStopped) throw new RingraftError('SHUTTING_DOWN', 'the node is shutting down');
    if (term < this.lastTerm) {
      throw new RingraftError(
        'NOT_LEADER',
        `${from} leads in term ${term}, a leader of term ${this.lastTerm} was here`,
      );
    }
    if (this.installing !== undefined) {
      const { index } = this.installing.message.snapshot;
      throw new RingraftError('OVERLOADED', `the state of index ${index} has arrived and is being installed`);
    }
  }

  /** Ends the stream before this one. */
  private async takeTurn(transfer: Transfer): Promise<void> {
    this.lastTerm = transfer.message.term;
    const earlier = this.current;
    earlier?.stream.finish(new RingraftError('OVERLOADED', 'a newer stream takes the place of this one'));
    const received = (async () => {
      await earlier?.ended;
      await this.receive(transfer);
    })();
    const current = { stream: transfer.stream, ended: received.catch(() => undefined) };
    this.current = current;
    try {
      await received;
    } finally {
      if (this.current === current) this.current = undefined;
      this.noteIdle();
    }
  }

  private async receive(transfer: Transfer): Promise<void> {
    const { message, stream, ranges } = transfer;
    const facts = { peer: message.from, term: message.term, index: message.snapshot.index };
    const startMs = performance.now();
    this.metrics.receiveStarted();
    this.log.info(facts, 'receiving a state');
    let result: TransferResult = 'complete';
    try {
      stream.requireOpen();
      await this.stageAll(transfer);
    } catch (error) {
      result = 'failed';
      this.report(error, facts);
      throw errorForSender(error);
    } finally {
      this.metrics.receiveEnded(result);
      const seconds = Number(((performance.now() - startMs) / 1000).toFixed(3));
      const { stored, skipped } = ranges;
      this.log.info(
        { ...facts, result, seconds, bytes: transfer.bytes, ranges: stored, skippedRanges: skipped },
        'receiving a state has ended',
      );
    }
  }

  private async stageAll(transfer: Transfer): Promise<void> {
    const { stream } = transfer;
    const staged = await this.store.stage();
    try {
      stream.requireOpen();
      stream.answer(staged.isPartial ? SnapshotVerdict.READY_PARTIAL : SnapshotVerdict.READY_EMPTY);
      while (!(await this.takeNext(transfer, staged)));
      stream.requireOpen();
      requireSound(transfer);
      this.handOver(transfer, staged);
    } catch (error) {
      // What is damaged or wrong would be found again by every later transfer.
      const isUseless = error instanceof CorruptStateError || error instanceof ContradictionError;
      await (isUseless || this.condition.has('storage_exhausted') ? staged.discard() : staged.close());
      throw error;
    }
    stream.answer(SnapshotVerdict.COMPLETE);
  }

  /** True once the end has arrived. */
  private async takeNext(transfer: Transfer, staged: StagedState): Promise<boolean> {
    const { stream, ranges } = transfer;
    const { range, end } = await stream.next();
    if (end !== undefined) {
      ranges.requireAll(end);
      return true;
    }
    if (range === undefined) throw malformed('a message of the stream is neither a range nor the end');
    if (range.hasRows) await this.takeRows(transfer, staged, range);
    else await this.compare(transfer, staged, range);
    return false;
  }

  private async compare({ stream, ranges, check }: Transfer, staged: StagedState, range: SnapshotRange): Promise<void> {
    ranges.arrived(range);
    const { from, to, digest } = rangeOf(range);
    if (Buffer.compare(await staged.digestOf(from, to), digest) === 0) {
      for await (const page of staged.rows(from, to)) for (const row of page) check.add(row);
      ranges.has(range);
      stream.answer(SnapshotVerdict.STORED, range.sequence);
    } else {
      ranges.want(range);
      stream.answer(SnapshotVerdict.WANTED, range.sequence);
    }
  }

  /** Stores the range, and with the same sync those behind it that have arrived meanwhile. */
  private async takeRows(transfer: Transfer, staged: StagedState, first: SnapshotRange): Promise<void> {
    const { stream, ranges, check } = transfer;
    const full = this.condition.detailOf('storage_full');
    if (full !== undefined) throw noSpace(full);
    ranges.arrived(first);
    const taken = [first];
    let bytes = bytesOfRows(first.rows);
    let fault: Error | undefined;
    while (bytes < PUT_BYTES_MAX && fault === undefined) {
      const { isLast, to } = taken.at(-1)!;
      const next = stream.takeRangeIf(({ hasRows, from }) => hasRows && !isLast && Buffer.compare(from, to) === 0);
      if (next === undefined) break;
      // Checking one takes a millisecond or more.
      await nextTurn();
      try {
        ranges.arrived(next);
        taken.push(next);
        bytes += bytesOfRows(next.rows);
      } catch (error) {
        fault = error as Error;
      }
    }
    const { isLast, to } = taken.at(-1)!;
    const rows = taken.flatMap((range) => range.rows);
    await staged.put({ from: first.from, to: isLast ? undefined : to, rows, digest: VERIFIED });
    transfer.bytes += bytes;
    this.metrics.rowsStored(bytes);
    for (const row of rows) check.add(row);
    for (const range of taken) {
      ranges.has(range);
      stream.answer(SnapshotVerdict.STORED, range.sequence);
    }
    if (fault !== undefined) throw fault;
  }

  private handOver({ message, incarnation }: Transfer, staged: StagedState): void {
    const received: ReceivedSnapshot = {
      message,
      incarnation,
      staged,
      release: () => {
        if (this.installing === received) this.installing = undefined;
      },
    };
    this.installing = received;
    if (this.inbox.snapshotReceived(received)) return;
    received.release();
    throw new RingraftError('SHUTTING_DOWN', 'nobody installs states here now');
  }

  private report(error: unknown, facts: object): void {
    const isExpected = error instanceof RingraftError && error.code !== 'INVALID_REQUEST';
    if (isExpected) this.log.warn({ ...facts, reason: error.message }, 'a stream of the state broke');
    else this.log.error({ ...facts, err: error }, 'a state could not be received');
  }
}

/** A whole state whose rows are not those that it was written with, or that is not of the entry that the leader says. */
class ContradictionError extends RingraftError {
  constructor(detail: string) {
    super('INVALID_REQUEST', `the state contradicts itself, and is not taken: ${detail}`);
  }
}

function requireSound({ check, message }: Transfer): void {
  const { index } = message.snapshot;
  const verdict = verdictOf(check);
  if (verdict.appliedIndex !== index) {
    throw new ContradictionError(
      `it is said to be of entry ${index}, and says of itself to be of ${verdict.appliedIndex}`,
    );
  }
  if (verdict.isSound) return;
  const { content, recorded } = verdict;
  throw new ContradictionError(
    `after entry ${index} its records have content ${content}, and they were written with ${recorded.content}`,
  );
}

function verdictOf(check: StateCheck): StateVerdict {
  try {
    return check.verdict();
  } catch (error) {
    if (!(error instanceof DecodeError) && !(error instanceof UnsupportedVersionError)) throw error;
    throw new ContradictionError(`what it says of itself cannot be read: ${error.message}`);
  }
}

function noSpace(detail: string): RingraftError {
  return new RingraftError('STORAGE_FULL', `there is no space for the state: ${detail}`);
}

function errorForSender(error: unknown): unknown {
  return error instanceof StateFullError
    ? new RingraftError('STORAGE_FULL', 'there is no space for the state', {}, { cause: error })
    : error;
}
