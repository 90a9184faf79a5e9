import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toJsonLines } from '@app/simulator';
import { Availability } from './availability.js';
import { Chance } from './chance.js';
import { DatabaseClient } from './database-client.js';
import type { FaultSystem } from './fault-system.js';
import { HistoryRecorder, type OperationCounts } from './history-recorder.js';
import type { HttpCaller } from './http-caller.js';
import { attack } from './nemesis.js';
import { NEMESES, type NemesisName } from './nemeses/nemesis-catalogue.js';
import { WORKLOADS, type WorkloadName } from './workloads/workload-catalogue.js';
import type { Workload } from './workload.js';

/** Processes start again and catch up, on a machine that may be busy. */
const RECOVERY_TIMEOUT_MS = 120_000;
/** After an operation that did not succeed, so that refusals at once make no busy loop. */
const PAUSE_AFTER_FAILURE_MS = 10;

export interface CellOptions {
  readonly workload: WorkloadName;
  readonly nemesis: NemesisName;
  readonly clients: number;
  /** How long the attack lasts. */
  readonly seconds: number;
  readonly seed: number;
  /** Where the history goes, as JSON lines. */
  readonly historyPath: string;
}

/** What one workload under one nemesis has shown. */
export interface CellReport {
  readonly workload: WorkloadName;
  readonly nemesis: NemesisName;
  readonly counts: OperationCounts;
  /** How often each kind of fault was really injected. */
  readonly injected: ReadonlyMap<string, number>;
  /** Between one success and the next, in the cluster where it was longest, during the attack. */
  readonly longestGapMs: number;
  readonly failoversMs: readonly number[];
  /** From the end of the attack until all replicas of all clusters agreed. */
  readonly recoveryMs: number;
  readonly checkMs: number;
  readonly durationMs: number;
  /** From the start of the clients to their end. */
  readonly operationsPerSecond: number;
  /** What was wrong; empty if all is well. */
  readonly faults: readonly string[];
}

/**
 * Runs one workload under one nemesis: clients work while the nemesis attacks; then everything is healed, the replicas must agree within a bound,
 * and what the clients were told and what the replicas hold is checked. The system is whole before and after.
 */
export async function runCell(
  system: FaultSystem,
  gateways: readonly HttpCaller[],
  { workload: workloadName, nemesis, clients: clientCount, seconds, seed, historyPath }: CellOptions,
): Promise<CellReport> {
  const name = `${workloadName}-${nemesis}`;
  const startedAtMs = performance.now();
  const availability = new Availability(system.clusterIds, startedAtMs);
  const recorder = new HistoryRecorder(availability);
  const clients = Array.from(
    { length: clientCount },
    (_, i) => new DatabaseClient(i, gateways, recorder, new Chance(seed, `${name}/client ${i}`)),
  );
  const workload: Workload = WORKLOADS[workloadName]({
    system,
    clients,
    chance: new Chance(seed, `${name}/workload`),
    keyOf: (clusterId, key) => ({ clusterId, key: `${system.keyTagOf(clusterId)}${name}-${key}` }),
    events: recorder.events,
  });
  const faults: string[] = [];

  const calledOff = new AbortController();
  const workDone = new AbortController();
  const work = Promise.all(clients.map((client) => repeat(workload, client, recorder, workDone.signal)));
  const chanceOf = (clusterId: string): Chance => new Chance(seed, `${name}/nemesis of ${clusterId}`);
  const attacking = attack(NEMESES[nemesis], system, chanceOf, availability, calledOff.signal);
  const disturbing = workload.disturb?.(calledOff.signal) ?? Promise.resolve(new Map<string, number>());
  await Promise.race([delay(seconds * 1000), work]);
  calledOff.abort();
  const attackEndedAtMs = performance.now();
  const injected = new Map([...(await attacking), ...(await disturbing)]);

  // Clients go on until the clusters are whole: that they serve again is a part of the claim.
  heal(system);
  for (const clusterId of system.clusterIds) {
    const isWhole = await system.waitFor(() => system.isWhole(clusterId), RECOVERY_TIMEOUT_MS);
    if (!isWhole) faults.push(`cluster ${clusterId} was not whole ${RECOVERY_TIMEOUT_MS} ms after the attack`);
  }
  availability.finish(performance.now());
  workDone.abort();
  await work;
  const operations = recorder.counts.ok + recorder.counts.unknown + recorder.counts.failed;
  const operationsPerSecond = (operations / (performance.now() - startedAtMs)) * 1000;
  for (const clusterId of system.clusterIds) {
    const isConverged = await system.waitFor(() => system.isConverged(clusterId), RECOVERY_TIMEOUT_MS);
    if (!isConverged)
      faults.push(`the replicas of ${clusterId} did not agree ${RECOVERY_TIMEOUT_MS} ms after all work`);
  }
  const recoveryMs = performance.now() - attackEndedAtMs;

  const checkedFromMs = performance.now();
  await workload.settle(clients[0]!);
  faults.push(...(await workload.check()));
  faults.push(...system.unexpectedExits.splice(0).map((exit) => `ended by itself: ${exit}`));
  mkdirSync(dirname(historyPath), { recursive: true });
  writeFileSync(historyPath, [...toJsonLines(recorder.events)].map((line) => `${line}\n`).join(''));
  const nowMs = performance.now();
  return {
    workload: workloadName,
    nemesis,
    counts: recorder.counts,
    injected,
    longestGapMs: availability.longestGapMs,
    failoversMs: availability.failoversMs,
    recoveryMs,
    checkMs: nowMs - checkedFromMs,
    durationMs: nowMs - startedAtMs,
    operationsPerSecond,
    faults,
  };
}

async function repeat(
  workload: Workload,
  client: DatabaseClient,
  recorder: HistoryRecorder,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { ok } = recorder.counts;
    await workload.step(client);
    if (recorder.counts.ok === ok) await delay(PAUSE_AFTER_FAILURE_MS);
  }
}

/** Ends every fault that a nemesis may have left. */
function heal(system: FaultSystem): void {
  system.network.healAll();
  for (const node of system.cluster.nodes) {
    if (node.isRunning) node.resume();
    else node.start();
  }
}
