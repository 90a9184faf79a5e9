/** One side of `npm run bench:snapshots`: a state store, and how long its event loop was held. */
import { existsSync, readFileSync } from 'node:fs';
import { createHistogram, performance } from 'node:perf_hooks';
import { Registry } from 'prom-client';
import { createLog } from '@app/platform';
import { encodeConfiguration, simpleConfiguration } from '@app/raft';
import { StateStore, type StateDescription } from '@app/storage';
import { PeerDirectory } from '../../apps/raft-node/src/peers/peer-directory.js';
import { RaftNodeConfig } from '../../apps/raft-node/src/raft-node.config.js';
import { SnapshotMetrics } from '../../apps/raft-node/src/snapshots/snapshot-metrics.js';

const CONFIGURATION = simpleConfiguration(['sender', 'receiver']);

export interface Pauses {
  /** The longest time between two turns of the event loop. */
  readonly longestMs: number;
  /** The most that the first thread has computed between two turns: on a busy machine the rest of a pause is made by others. */
  readonly busiestMs: number;
  readonly p999BusyMs: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Of the first thread, in nanoseconds: running, and waiting for a processor. Linux only. */
const SCHEDULED = `/proc/self/task/${process.pid}/schedstat`;
const isSchedulingKnown = existsSync(SCHEDULED);

function computedMs(): number {
  return isSchedulingKnown ? Number(readFileSync(SCHEDULED, 'latin1').split(' ')[0]) / 1e6 : NaN;
}

/** Looks once a millisecond, from now until it is called. */
export function measurePauses(): () => Pauses {
  const busy = createHistogram();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  let longestMs = 0;
  let [lastMs, lastComputedMs] = [start, computedMs()];
  const timer = setInterval(() => {
    const [nowMs, computed] = [performance.now(), computedMs()];
    longestMs = Math.max(longestMs, nowMs - lastMs);
    if (isSchedulingKnown) busy.record(Math.max(1, Math.round(1000 * (computed - lastComputedMs))));
    [lastMs, lastComputedMs] = [nowMs, computed];
  }, 1);
  return () => {
    clearInterval(timer);
    const { user, system } = process.cpuUsage(cpuBefore);
    return {
      longestMs,
      busiestMs: busy.max / 1000,
      p999BusyMs: busy.percentile(99.9) / 1000,
      seconds: (performance.now() - start) / 1000,
      cpuSeconds: (user + system) / 1e6,
    };
  };
}

/** What a node has around its transfers. */
export function benchNode(nodeId: 'sender' | 'receiver', receiverAddress: string, bytesPerSecond: number) {
  const peers = [
    { nodeId: 'sender', address: 'unused:1' },
    { nodeId: 'receiver', address: receiverAddress },
  ];
  const config = Object.assign(new RaftNodeConfig(), {
    clusterId: 'bench',
    nodeId,
    peers,
    snapshotBytesPerSecond: bytesPerSecond,
  });
  return {
    config,
    directory: new PeerDirectory(config, `data-of-${nodeId}`),
    metrics: new SnapshotMetrics(new Registry()),
    log: createLog({ level: 'warn', fields: { node: nodeId } }),
  };
}

export function openState(directory: string): Promise<StateStore> {
  return StateStore.open(directory, {
    onFailure: (error) => {
      throw error;
    },
  });
}

export function describedAt(index: number): StateDescription {
  return { index, term: 1, configurationIndex: 0, configuration: encodeConfiguration(CONFIGURATION) };
}

export const benchConfiguration = { index: 0, configuration: CONFIGURATION };
