/** The child process of a `SeedRunner`: runs the seeds that it is sent, one after the other. */
import { runSeed, type FaultKind } from '@app/simulator';
import { timed } from './run.js';
import { PROCESS_CHECKS, unfinishedReport, type SeedReport, type SeedRequest } from './seed-report.js';

process.on('message', (request: SeedRequest) => process.send?.(reportOn(request)));
process.on('disconnect', () => process.exit());
// A Ctrl-C reaches the whole group of processes; the parent decides what becomes of this one.
process.on('SIGINT', () => undefined);

function reportOn({ seed, ticks, nodes, faults }: SeedRequest): SeedReport {
  const startedAt = performance.now();
  try {
    // The command line has checked the names.
    return timed(() => runSeed({ seed, ticks, nodes, faults: faults as readonly FaultKind[] | undefined })).report;
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return unfinishedReport(seed, PROCESS_CHECKS.threw, message, performance.now() - startedAt);
  }
}
