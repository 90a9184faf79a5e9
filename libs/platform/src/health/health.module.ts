import { Controller, type DynamicModule, Get, Header, Module, Query, Res, type Type } from '@nestjs/common';
import { Health } from './health.js';
import type { HealthCheck, NamedHealthResult } from './health-check.js';

interface Reply {
  status(code: number): unknown;
}

/** `GET /livez` and `GET /readyz`, as Kubernetes has them: `ok`, or 503 and a line per check. `?verbose` lists always. */
@Controller()
export class HealthController {
  constructor(private readonly health: Health) {}

  @Get('livez')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  livez(@Res({ passthrough: true }) reply: Reply, @Query('verbose') verbose?: string): string {
    return answer('livez', this.health.liveness(), verbose !== undefined, reply);
  }

  @Get('readyz')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  readyz(@Res({ passthrough: true }) reply: Reply, @Query('verbose') verbose?: string): string {
    return answer('readyz', this.health.readiness(), verbose !== undefined, reply);
  }
}

function answer(endpoint: string, results: readonly NamedHealthResult[], isVerbose: boolean, reply: Reply): string {
  const isOk = results.every(({ ok }) => ok);
  if (!isOk) reply.status(503);
  if (isOk && !isVerbose) return 'ok';
  const lines = results.map(({ name, ok, reason }) =>
    ok
      ? `[+]${name} ok${reason === undefined ? '' : ` (${reason})`}`
      : `[-]${name} failed: ${reason ?? 'no reason given'}`,
  );
  return [...lines, `${endpoint} check ${isOk ? 'passed' : 'failed'}`, ''].join('\n');
}

export interface HealthOptions {
  /** The modules that export the checks. */
  readonly imports?: NonNullable<DynamicModule['imports']>;
  /** Providers that implement `HealthCheck`; none of them may depend on other nodes. */
  readonly liveness?: readonly Type<HealthCheck>[];
  readonly readiness?: readonly Type<HealthCheck>[];
}

/** Exports `Health` and serves `/livez` and `/readyz`. Global, so that a gRPC health service may ask `Health` too. */
@Module({})
export class HealthModule {
  static forRoot({ imports = [], liveness = [], readiness = [] }: HealthOptions): DynamicModule {
    return {
      module: HealthModule,
      global: true,
      imports,
      controllers: [HealthController],
      providers: [
        {
          provide: Health,
          inject: [...liveness, ...readiness],
          useFactory: (...checks: HealthCheck[]) =>
            new Health(checks.slice(0, liveness.length), checks.slice(liveness.length)),
        },
      ],
      exports: [Health],
    };
  }
}
