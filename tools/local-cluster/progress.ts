import type { LocalCluster } from './local-cluster.js';

const POLL_INTERVAL_MS = 500;

/** Where progress is shown. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Shows which clusters have a leader, until `stop`: on a terminal as one line that changes, elsewhere as a line for
 * each leader.
 */
export class ElectionProgress {
  private readonly startedAt = performance.now();
  private readonly leaders = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(
    private readonly cluster: Pick<LocalCluster, 'clusterIds' | 'leaderOf'>,
    private readonly terminal: Terminal,
  ) {}

  start(): void {
    this.draw();
    this.schedule();
  }

  /** Takes the changing line away. */
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    if (this.terminal.isTTY) this.terminal.write('\r\u001b[K');
  }

  private schedule(): void {
    this.timer = setTimeout(() => void this.poll(), POLL_INTERVAL_MS);
  }

  private async poll(): Promise<void> {
    for (const clusterId of this.cluster.clusterIds) {
      if (this.leaders.has(clusterId)) continue;
      const leader = await this.cluster.leaderOf(clusterId);
      if (this.isStopped) return;
      if (!leader) continue;
      this.leaders.set(clusterId, leader.name);
      if (!this.terminal.isTTY) this.terminal.write(`cluster ${clusterId} has elected ${leader.name}\n`);
    }
    this.draw();
    this.schedule();
  }

  private draw(): void {
    if (!this.terminal.isTTY) return;
    const states = this.cluster.clusterIds.map((id) => `${id}: ${this.leaders.get(id) ?? 'electing'}`);
    const seconds = ((performance.now() - this.startedAt) / 1000).toFixed(1);
    this.terminal.write(`\r\u001b[Kwaiting for leaders, ${seconds} s (${states.join(', ')})`);
  }
}
