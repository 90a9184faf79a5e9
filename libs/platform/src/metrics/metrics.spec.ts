import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Counter, Registry } from 'prom-client';
import { MetricsModule } from './metrics.module.js';

describe('MetricsModule', () => {
  let app: NestFastifyApplication;

  beforeEach(async () => {
    const testing = await Test.createTestingModule({ imports: [MetricsModule.forRoot({ node: 'c1-n1' })] }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await app.init();
  });

  afterEach(() => app.close());

  it('serves what was registered, and the process itself, with the labels on every sample', async () => {
    const registers = [app.get(Registry)];
    new Counter({ name: 'ringraft_tests_total', help: 'Tests', registers }).inc(3);
    const { statusCode, headers, body } = await app.inject({ method: 'GET', url: '/metrics' });
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toContain('ringraft_tests_total{node="c1-n1"} 3\n');
    expect(body).toMatch(/^ringraft_nodejs_eventloop_lag_seconds\{node="c1-n1"\} [\d.e-]+$/m);
    expect(body).toMatch(/^ringraft_process_cpu_seconds_total\{node="c1-n1"\} [\d.e-]+$/m);
    expect(body).toMatch(/^ringraft_event_loop_lag_seconds_count\{node="c1-n1"\} \d+$/m);
    expect(body).toMatch(/^ringraft_build_info\{version="[\d.]+",node_version="v[\d.]+",node="c1-n1"\} 1$/m);
    const names = body.split('\n').filter((line) => line && !line.startsWith('#'));
    expect(names.filter((line) => !line.startsWith('ringraft_'))).toEqual([]);
  });

  it('keeps the metrics of two apps in one process apart', async () => {
    const other = await Test.createTestingModule({ imports: [MetricsModule.forRoot()] }).compile();
    await other.init();
    expect(other.get(Registry)).not.toBe(app.get(Registry));
    await other.close();
  });
});
