import { cpus, release, totalmem } from 'node:os';

const GIB = 1024 ** 3;

/** What the figures depend on. */
export function describeMachine(): string {
  const all = cpus();
  return `${all.length} x ${all[0]?.model.trim() ?? 'unknown CPU'}, ${(totalmem() / GIB).toFixed(0)} GiB, Linux ${release()}, Node ${process.version}`;
}
