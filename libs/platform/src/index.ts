/**
 * What every Nest process of Ringraft needs and no domain knows: one validated configuration class, JSON logs, metrics,
 * health endpoints, and an orderly end. A `main.ts` reads top-down: `configOrExit`, `createLog`, `exitOnFatalErrors`,
 * the Nest app with `NestLog`, `stopOnSignals`, listen.
 */
export { configOrExit } from './config/config-or-exit.js';
export { loadConfig, type ChecksTogether } from './config/load-config.js';
export { ConfigError } from './config/config-error.js';
export { Option } from './config/option.js';
export { ProcessConfig } from './config/process-config.js';
export { IsHostPort, IsListenAddress, formatHostPort, parseHostPort, type HostPort } from './net/host-port.js';
export { LOG, createLog, type Log, type LogLevel } from './logging/log.js';
export { LogBudget } from './logging/log-budget.js';
export { LoggingModule } from './logging/logging.module.js';
export { NestLog } from './logging/nest-log.js';
export { MetricsModule } from './metrics/metrics.module.js';
export { Health } from './health/health.js';
export { HealthModule } from './health/health.module.js';
export type { HealthCheck, HealthResult } from './health/health-check.js';
export { stopOnSignals } from './lifecycle/stop-on-signals.js';
export { exitOnFatalErrors } from './lifecycle/exit-on-fatal-errors.js';
export { exitWithParent } from './lifecycle/exit-with-parent.js';
export { VERSION } from './version.js';
