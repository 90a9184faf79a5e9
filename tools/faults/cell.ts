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
import { completeMembership } from './membership-repair.js';
import { attack, type Nemesis } from './nemesis.js';
import type { Workload, WorkloadStage } from './workload.js';

/** Processes start again and catch up, on a machine that may be busy. */
const RECOVERY_TIMEOUT_MS = 120_000;
/** After an operation that did not succeed, so that refusals at once make no busy loop. */
const PAUSE_AFTER_FAILURE_MS = 10;

/** What nodes log when a fault has shown an effect: proof that it did. */
const NOTICED = {
  'state installed': 'the state of another member is in use',
  'disk noticed slow': 'the disk is slow',
};

export interface CellOptions {
  readonly workload: { readonly name: string; readonly create: (stage: WorkloadStage) => Workload };
  readonly nemesis: Nemesis & { readonly name: string };
  readonly clients: number;
  /** How long the attack lasts, unless the nemesis has enough before. */
  readonly seconds: number;
  readonly seed: number;
  /** Where the history goes, as JSON lines. */
  readonly historyPath: string;
}

/** What one workload under one nemesis has shown. */
export interface CellReport {
  readonly workload: string;
  readonly nemesis: string;
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
  { workload: { name: workloadName, create }, nemesis, clients: clientCount, seconds, seed, historyPath }: CellOptions,
): Promise<CellReport> {
  const name = `${workloadName}-${nemesis.name}`;
  const startedAtMs = performance.now();
  const availability = new Availability(system.clusterIds, startedAtMs);
  const recorder = new HistoryRecorder(availability);
  const clients = Array.from(
    { length: clientCount },
    (_, i) => new DatabaseClient(i, gateways, recorder, new Chance(seed, `${name}/client ${i}`)),
  );
  const workload = create({
    system,
    clients,
    chance: new Chance(seed, `${name}/workload`),
    keyOf: (clusterId, key) => ({ clusterId, key: `${system.keyTagOf(clusterId)}${name}-${key}` }),
    events: recorder.events,
  });
  const faults: string[] = [];
  const loggedBefore = Object.fromEntries(
    Object.entries(NOTICED).map(([kind, text]) => [kind, system.countLogged(text)]),
  );

  const calledOff = new AbortController();
  const workDone = new AbortController();
  const work = Promise.all(clients.map((client) => repeat(workload, client, recorder, workDone.signal)));
  const chanceOf = (clusterId: string): Chance => new Chance(seed, `${name}/nemesis of ${clusterId}`);
  const attacking = attack(nemesis, system, chanceOf, availability, calledOff.signal);
  const disturbing = workload.disturb?.(calledOff.signal) ?? Promise.resolve(new Map<string, number>());
  await Promise.race([delay(seconds * 1000, undefined, { signal: calledOff.signal }), work, attacking]);
  calledOff.abort();
  const attackEndedAtMs = performance.now();
  const injected = new Map([...(await attacking), ...(await disturbing)]);

  // Clients go on until the clusters are whole: that they serve again is a part of the claim.
  heal(system);
  await Promise.all(system.clusterIds.map((clusterId) => completeMembership(system, clusterId)));
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
  for (const { node, reasons } of await unhealthyNodes(system)) faults.push(`${node} is unwell after all: ${reasons}`);
  for (const [kind, text] of Object.entries(NOTICED)) {
    const times = system.countLogged(text) - loggedBefore[kind]!;
    if (times > 0) injected.set(kind, times);
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
    nemesis: nemesis.name,
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

/** Nodes that say that something is wrong with them, for longer than it may take to pass. */
async function unhealthyNodes(system: FaultSystem): Promise<{ node: string; reasons: string }[]> {
  let unhealthy: { node: string; reasons: string }[] = [];
  await system.waitFor(async () => {
    const statuses = await Promise.all(system.clusterIds.map((clusterId) => system.statusesOf(clusterId)));
    unhealthy = statuses
      .flat()
      .map(({ node, status }) => ({ node: node.name, reasons: status?.unhealthyReasons.join('; ') ?? 'no answer' }))
      .filter(({ reasons }) => reasons !== '');
    return unhealthy.length === 0;
  }, RECOVERY_TIMEOUT_MS);
  return unhealthy;
}

/** Ends every fault that a nemesis may have left. */
function heal(system: FaultSystem): void {
  system.network.healAll();
  for (const node of system.cluster.nodes) {
    system.orderDisk(node, {});
    if (node.isRunning) node.resume();
    else system.start(node);
  }
}
