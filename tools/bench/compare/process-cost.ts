import { readFileSync } from 'node:fs';

/** The kernel counts CPU time for processes in these units, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

export interface ProcessCost {
  /** Of all threads, in user and kernel mode, since it started. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Of it, what is the process's own, and no page of a file that the system can take back at any time. */
  readonly ownBytes: number;
}

/** Linux only. Throws when the process is not there. */
export function costOf(pid: number): ProcessCost {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    cpuSeconds: parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8')),
    residentBytes: parseMemory(status, 'VmRSS'),
    ownBytes: parseMemory(status, 'RssAnon'),
  };
}

/** From `/proc/PID/stat`: the second field is a name in brackets that may hold spaces and brackets itself. */
export function parseCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** From `/proc/PID/status`, in bytes. */
export function parseMemory(status: string, name: 'VmRSS' | 'RssAnon'): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (!found) throw new Error(`no ${name} line`);
  return Number(found[1]) * 1024;
}
