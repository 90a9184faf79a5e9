import { Injectable, Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Health } from './health.js';
import type { HealthCheck, HealthResult } from './health-check.js';
import { HealthModule } from './health.module.js';

@Injectable()
class LogCheck implements HealthCheck {
  readonly name = 'log';
  result: HealthResult = { ok: true };

  check(): HealthResult {
    return this.result;
  }
}

@Injectable()
class LeaderCheck implements HealthCheck {
  readonly name = 'leader';
  result: HealthResult | Error = { ok: true };

  check(): HealthResult {
    if (this.result instanceof Error) throw this.result;
    return this.result;
  }
}

@Module({ providers: [LogCheck, LeaderCheck], exports: [LogCheck, LeaderCheck] })
class ChecksModule {}

describe('HealthModule', () => {
  let app: NestFastifyApplication;
  let log: LogCheck;
  let leader: LeaderCheck;

  beforeEach(async () => {
    const testing = await Test.createTestingModule({
      imports: [
        HealthModule.forRoot({ imports: [ChecksModule], liveness: [LogCheck], readiness: [LogCheck, LeaderCheck] }),
      ],
    }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await app.init();
    log = app.get(LogCheck);
    leader = app.get(LeaderCheck);
  });

  afterEach(() => app.close());

  const get = async (url: string): Promise<[number, string]> => {
    const { statusCode, body, headers } = await app.inject({ method: 'GET', url });
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
    return [statusCode, body];
  };

  it('answers ok, and every check with ?verbose', async () => {
    expect(await get('/livez')).toEqual([200, 'ok']);
    expect(await get('/readyz')).toEqual([200, 'ok']);
    expect(await get('/livez?verbose')).toEqual([200, '[+]log ok\nlivez check passed\n']);
    expect(await get('/readyz?verbose')).toEqual([
      200,
      '[+]shutdown ok\n[+]log ok\n[+]leader ok\nreadyz check passed\n',
    ]);
  });

  it('answers 503 and names each reason when not ready, and stays alive', async () => {
    leader.result = { ok: false, reason: 'no leader is known' };
    expect(await get('/readyz')).toEqual([
      503,
      '[+]shutdown ok\n[+]log ok\n[-]leader failed: no leader is known\nreadyz check failed\n',
    ]);
    expect(await get('/livez')).toEqual([200, 'ok']);
    expect(app.get(Health).isReady).toBe(false);
  });

  it('is not alive when a liveness check fails', async () => {
    log.result = { ok: false };
    expect(await get('/livez')).toEqual([503, '[-]log failed: no reason given\nlivez check failed\n']);
  });

  it('counts a check that throws as failed', async () => {
    leader.result = new Error('broken check');
    expect((await get('/readyz'))[1]).toContain('[-]leader failed: broken check\n');
  });

  it('is not ready any more once the process stops', async () => {
    const health = app.get(Health);
    expect(health.isReady).toBe(true);
    await app.close();
    expect(health.isReady).toBe(false);
    expect(health.readiness()[0]).toEqual({ name: 'shutdown', ok: false, reason: 'the process is stopping' });
    expect(health.liveness()).toEqual([{ name: 'log', ok: true }]);
  });
});
