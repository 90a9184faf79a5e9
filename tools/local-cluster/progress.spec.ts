import { setTimeout as delay } from 'node:timers/promises';
import type { LocalNode } from './local-cluster.js';
import { ElectionProgress } from './progress.js';

describe('ElectionProgress', () => {
  const cluster = {
    clusterIds: ['c1', 'c2'],
    leaderOf: (id: string) => Promise.resolve(id === 'c1' ? ({ name: 'c1-n3' } as LocalNode) : undefined),
  };

  async function shown(isTTY: boolean, until: string): Promise<string> {
    let text = '';
    const progress = new ElectionProgress(cluster, { isTTY, write: (part: string) => (text += part) });
    progress.start();
    while (!text.includes(until)) await delay(5);
    progress.stop();
    return text;
  }

  it('changes one line on a terminal and takes it away at the end', async () => {
    const text = await shown(true, 'c1-n3');
    expect(text).toContain('(c1: electing, c2: electing)');
    expect(text).toContain('(c1: c1-n3, c2: electing)');
    expect(text).not.toContain('\n');
    expect(text.endsWith('\r\u001b[K')).toBe(true);
  });

  it('prints a line per leader elsewhere', async () => {
    expect(await shown(false, 'c1-n3')).toBe('cluster c1 has elected c1-n3\n');
  });
});
