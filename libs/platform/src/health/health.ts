import type { OnModuleDestroy } from '@nestjs/common';
import type { HealthCheck, NamedHealthResult } from './health-check.js';

/** What the process knows about its own health, for HTTP and for the gRPC health service. */
export class Health implements OnModuleDestroy {
  private isStopping = false;

  constructor(
    private readonly livenessChecks: readonly HealthCheck[],
    private readonly readinessChecks: readonly HealthCheck[],
  ) {}

  /** From the first moment of a shutdown on the process is not ready, so that nobody sends it more work. */
  onModuleDestroy(): void {
    this.isStopping = true;
  }

  /** Whether the process works at all; a restart is the cure for what fails here, so it never depends on a quorum. */
  liveness(): NamedHealthResult[] {
    return this.livenessChecks.map(outcome);
  }

  /** Whether the process should get work now. */
  readiness(): NamedHealthResult[] {
    const shutdown = this.isStopping ? { ok: false, reason: 'the process is stopping' } : { ok: true };
    return [{ name: 'shutdown', ...shutdown }, ...this.readinessChecks.map(outcome)];
  }

  get isReady(): boolean {
    return this.readiness().every(({ ok }) => ok);
  }
}

function outcome(check: HealthCheck): NamedHealthResult {
  try {
    return { name: check.name, ...check.check() };
  } catch (error) {
    return { name: check.name, ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
