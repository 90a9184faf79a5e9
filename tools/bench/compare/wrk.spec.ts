import { parseWrkOutput } from './wrk.js';

const line = (status: number): string =>
  'RESULT {"requests":4000,"durationUs":2000000,"p50Us":1500,"p99Us":9000,"p999Us":20000,"maxUs":31000,"slow":2,"cpuSeconds":0.250,' +
  `"connect":0,"read":1,"write":0,"status":${status},"timeout":0}`;

describe('parseWrkOutput', () => {
  it('reads the line of the script from among what wrk prints itself', () => {
    const output = `Running 2s test @ http://127.0.0.1:1\n  1 threads and 64 connections\nTransfer/sec: 1MB\n\n${line(0)}\n`;
    expect(parseWrkOutput(output)).toEqual({
      requests: 4000,
      perSecond: 2000,
      p50Ms: 1.5,
      p99Ms: 9,
      p999Ms: 20,
      maxMs: 31,
      slow: 2,
      generatorCpuSeconds: 0.25,
      seconds: 2,
      errors: { read: 1 },
    });
  });

  it('counts answers of 400 and above as errors, by kind', () => {
    expect(parseWrkOutput(line(7)).errors).toEqual({ read: 1, status: 7 });
  });

  it('says what was printed when there is no result', () => {
    expect(() => parseWrkOutput('unable to connect')).toThrow('unable to connect');
  });
});
