import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { LOG, VERSION, type Log } from '@app/platform';
import { RingraftError, toServiceError, type SaveRequest, type SaveResponse } from '@app/rpc';
import { StateStore, backupHeaderOf, writeBackup, type StateSnapshot } from '@app/storage';
import { NodeCondition } from '../condition/node-condition.js';
import { OperationDesk, type Refusal } from '../fsm/operation-desk.js';
import { PeerDirectory } from '../peers/peer-directory.js';
import { RaftNodeConfig } from '../raft-node.config.js';
import { Throttle } from '../snapshots/throttle.js';
import { BackupMetrics, type BackupResult } from './backup-metrics.js';

export type SaveCall = ServerWritableStream<SaveRequest, SaveResponse>;

/** A client that takes nothing for so long is given up: until then the snapshot holds space on the disk. */
const STALL_MS = 30_000;

/** Blocks with large rows are larger than a message may be. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/**
 * Serves backups, one at a time: the state behind everything that was committed when the call came, as a stream that never runs ahead of its
 * client, nor faster than `snapshotBytesPerSecond`. The log does not wait for it: the snapshot is one of the database's.
 */
@Injectable()
export class BackupDesk implements BeforeApplicationShutdown {
  private readonly throttle: Throttle;
  private current: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  private isStopped = false;

  constructor(
    private readonly config: RaftNodeConfig,
    private readonly desk: OperationDesk,
    private readonly directory: PeerDirectory,
    private readonly condition: NodeCondition,
    private readonly store: StateStore,
    private readonly metrics: BackupMetrics,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.throttle = new Throttle(config.snapshotBytesPerSecond);
  }

  /** Ends the call in any case, and never rejects. */
  async serve(call: SaveCall): Promise<void> {
    if (this.isStopped || this.current !== undefined) {
      const reason = this.isStopped
        ? new RingraftError('SHUTTING_DOWN', 'the node is shutting down')
        : new RingraftError('OVERLOADED', 'another backup is under way at this node: wait until it has ended');
      call.emit('error', toServiceError(reason));
      return;
    }
    const stop = new AbortController();
    const cancel = (): void => stop.abort(new RingraftError('OUTCOME_UNKNOWN', 'the client has gone away'));
    call.on('cancelled', cancel);
    call.on('error', cancel);
    if (call.cancelled) cancel();
    const current = { stop, ended: this.run(call, stop.signal) };
    this.current = current;
    await current.ended;
    if (this.current === current) this.current = undefined;
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.current?.stop.abort(new RingraftError('SHUTTING_DOWN', 'the node is shutting down'));
    await this.current?.ended;
  }

  private async run(call: SaveCall, stop: AbortSignal): Promise<void> {
    const startMs = performance.now();
    let bytes = 0;
    let result: BackupResult = 'refused';
    let snapshot: StateSnapshot | undefined;
    this.metrics.started();
    try {
      snapshot = await this.confirmedSnapshot();
      stop.throwIfAborted();
      result = 'failed';
      const createdAtMs = Date.now();
      const header = await backupHeaderOf(snapshot, {
        clusterId: this.config.clusterId,
        version: VERSION,
        createdAtMs,
      });
      for await (const data of writeBackup(header, snapshot)) {
        // A state that has turned out to be wrong meanwhile is nobody's backup.
        this.requireSound();
        for (let at = 0; at < data.length; at += MESSAGE_BYTES_MAX) {
          await this.send(call, data.subarray(at, at + MESSAGE_BYTES_MAX), stop);
        }
        this.metrics.sent(data.length);
        bytes += data.length;
      }
      result = 'complete';
      call.end();
    } catch (error) {
      const reason: unknown = stop.aborted ? stop.reason : error;
      if (stop.aborted) result = 'cancelled';
      if (!(reason instanceof RingraftError)) this.log.error({ err: reason }, 'a backup failed unexpectedly');
      call.emit('error', toServiceError(reason));
    } finally {
      this.metrics.ended(result);
      const seconds = Number(((performance.now() - startMs) / 1000).toFixed(3));
      this.log.info({ result, bytes, seconds, index: snapshot?.description.index }, 'a backup has ended');
      await snapshot
        ?.close()
        .catch((error: unknown) => this.log.warn({ err: error }, 'a snapshot could not be closed'));
    }
  }

  /** Of a state that contains everything that was committed when this was called. */
  private async confirmedSnapshot(): Promise<StateSnapshot> {
    this.requireSound();
    const deadlineMs = performance.now() + this.config.operationTimeoutMs;
    const refusal = await new Promise<Refusal | undefined>((resolve) => this.desk.read(deadlineMs, resolve));
    if (refusal !== undefined) throw this.errorOf(refusal);
    // What is applied may still be in memory only, and a snapshot is of what is durable.
    const late = new AbortController();
    try {
      await Promise.race([this.store.flush(), this.lapse(deadlineMs, late.signal)]);
    } finally {
      late.abort();
    }
    return this.store.snapshot();
  }

  /** On a full disk nothing becomes durable for as long as it is full. */
  private async lapse(deadlineMs: number, over: AbortSignal): Promise<void> {
    await sleep(Math.max(0, deadlineMs - performance.now()), undefined, { signal: over, ref: false }).catch(
      () => undefined,
    );
    if (!over.aborted) throw new RingraftError('TIMED_OUT', 'the state did not become durable within the deadline');
  }

  private requireSound(): void {
    const refusal = this.condition.readRefusal();
    if (refusal !== undefined) throw this.errorOf(refusal);
    if (this.condition.isStateInDoubt) {
      throw new RingraftError(
        'QUARANTINED',
        'the members differ, and it is not known whether the state of this node is right',
      );
    }
  }

  private errorOf({ code, detail, outcome }: Refusal): RingraftError {
    const nodeId = this.desk.leaderId;
    const address =
      nodeId === undefined || nodeId === this.directory.selfId ? undefined : this.directory.addressOf(nodeId);
    const leader = nodeId === undefined || address === undefined ? undefined : { nodeId, address };
    return new RingraftError(code, detail, leader && { leader }, outcome && { outcome });
  }

  private async send(call: SaveCall, data: Uint8Array, stop: AbortSignal): Promise<void> {
    const waitMs = this.throttle.reserve(data.length);
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: stop });
    stop.throwIfAborted();
    if (call.write({ data })) return;
    const patience = AbortSignal.timeout(STALL_MS);
    try {
      await once(call, 'drain', { signal: AbortSignal.any([stop, patience]) });
    } catch (error) {
      if (!stop.aborted && patience.aborted)
        throw new RingraftError('OUTCOME_UNKNOWN', `the client took nothing for ${STALL_MS} ms`);
      throw error;
    }
  }
}
