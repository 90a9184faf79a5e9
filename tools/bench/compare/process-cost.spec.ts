import { costOf, parseCpuSeconds, parseMemory } from './process-cost.js';

describe('process costs', () => {
  it('finds user and kernel time behind a name with spaces and brackets', () => {
    const stat = '42 (a (b) c) S 1 42 42 0 -1 4194560 11 12 13 14 250 50 0 0 20 0 11 0 100 1 1';
    expect(parseCpuSeconds(stat)).toBe(3);
  });

  it('reads memory', () => {
    const status = 'Name:\tnode\nVmHWM:\t  9999 kB\nVmRSS:\t    2048 kB\nRssAnon:\t    1024 kB\nThreads:\t1\n';
    expect(parseMemory(status, 'VmRSS')).toBe(2 * 1024 * 1024);
    expect(parseMemory(status, 'RssAnon')).toBe(1024 * 1024);
    expect(() => parseMemory('Name:\tkthread\n', 'VmRSS')).toThrow('VmRSS');
  });

  it('knows a process that runs', () => {
    const { cpuSeconds, residentBytes, ownBytes } = costOf(process.pid);
    expect(cpuSeconds).toBeGreaterThan(0);
    expect(ownBytes).toBeGreaterThan(1024 * 1024);
    expect(residentBytes).toBeGreaterThan(ownBytes);
  });
});
