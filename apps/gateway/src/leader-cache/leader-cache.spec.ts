import { Registry } from 'prom-client';
import { GatewayMetrics } from '../ops/gateway-metrics.js';
import { LeaderCache } from './leader-cache.js';

describe('LeaderCache', () => {
  const [n1, n2] = [
    { id: 'c1-n1', address: '127.0.0.1:1' },
    { id: 'c1-n2', address: '127.0.0.1:2' },
  ];
  let registry: Registry;
  let cache: LeaderCache;
  beforeEach(() => {
    registry = new Registry();
    cache = new LeaderCache(new GatewayMetrics(registry));
  });
  const counted = async (name: string) =>
    (await registry.getSingleMetric(`ringraft_gateway_leader_cache_${name}_total`)?.get())?.values[0]?.value;

  it('knows what it has learned, per cluster', () => {
    cache.learn('c1', n1);
    expect(cache.leaderOf('c1')).toEqual(n1);
    expect(cache.leaderOf('c2')).toBeUndefined();
    cache.learn('c1', n2);
    expect(cache.leaderOf('c1')).toEqual(n2);
  });

  it('drops a leader on doubt', () => {
    cache.learn('c1', n1);
    cache.doubt('c1', n1);
    expect(cache.isKnown('c1')).toBe(false);
  });

  it('keeps a newer leader when an old one is doubted late', () => {
    cache.learn('c1', n1);
    cache.learn('c1', n2);
    cache.doubt('c1', n1);
    expect(cache.leaderOf('c1')).toEqual(n2);
  });

  it('counts hits, misses and what was stale', async () => {
    cache.leaderOf('c1');
    cache.learn('c1', n1);
    cache.leaderOf('c1');
    cache.leaderOf('c1');
    cache.doubt('c1', n1);
    cache.doubt('c1', n1);
    expect([await counted('hits'), await counted('misses'), await counted('stale')]).toEqual([2, 1, 1]);
  });
});
