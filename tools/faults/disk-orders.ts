import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { FaultyOperation } from '@app/storage';

/** The environment variable that makes a node forget with its process what was not synced. */
export const FORGETS_VARIABLE = 'FAULTY_NODE_FORGETS';

/** What the disk of one node is to do. Each order replaces the one before it. */
export interface DiskOrders {
  /** Grows with every order. */
  readonly number: number;
  /** How much later operations begin, by kind. */
  readonly delaysMs: Readonly<Partial<Record<FaultyOperation, number>>>;
  /** Operations of these kinds do not begin at all. */
  readonly hanging: readonly FaultyOperation[];
}

/** What became of an order. */
export interface DiskReport {
  /** The last order that was carried out. */
  readonly number: number;
  /** Operations that were delayed or hung, since the process began. */
  readonly affected: number;
}

/** The files by which the harness and a node speak about its disk, given the node's data directory. */
export function ordersPath(dataDir: string): string {
  return `${dataDir}.disk-orders.json`;
}

export function reportPath(dataDir: string): string {
  return `${dataDir}.disk-report.json`;
}

/** Whole or not at all: a reader never sees half of it. */
export function writeJson(path: string, value: DiskOrders | DiskReport): void {
  writeFileSync(`${path}.new`, JSON.stringify(value));
  renameSync(`${path}.new`, path);
}

/** Undefined when there is none. */
export function readJson<T extends DiskOrders | DiskReport>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
