import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Metadata } from '@grpc/grpc-js';
import { Counter, Histogram, Registry } from 'prom-client';
import type { NodeId } from '@app/raft';
import { Channels, HealthClient } from '@app/rpc';
import { PeerDirectory } from '../peers/peer-directory.js';

const PROBE_INTERVAL_MS = 2_000;

/** Below the interval, so that there is never more than one to a peer. */
const PROBE_TIMEOUT_MS = 1_500;

/** From a process next door to a link on which elections fail. */
const ROUND_TRIP_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5];

/**
 * How long the way to each other member and back is. A small call of its own, on the connection that the log travels on, and the same on all
 * nodes: what replication itself takes depends on the load and on the disk of the other side.
 */
@Injectable()
export class PeerProbe implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly roundTrips: Histogram<'peer'>;
  private readonly failures: Counter<'peer'>;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly directory: PeerDirectory,
    private readonly channels: Channels,
    registry: Registry,
  ) {
    const registers = [registry];
    this.roundTrips = new Histogram({
      name: 'ringraft_peer_round_trip_seconds',
      help: 'How long a small call to another member takes, asked every two seconds',
      labelNames: ['peer'],
      buckets: ROUND_TRIP_SECONDS,
      registers,
    });
    this.failures = new Counter({
      name: 'ringraft_peer_probes_failed_total',
      help: 'Calls to measure the way to another member that were not answered in time',
      labelNames: ['peer'],
      registers,
    });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.probeAll(), PROBE_INTERVAL_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private probeAll(): void {
    for (const id of this.directory.memberIds) {
      const address = this.directory.addressOf(id);
      if (id !== this.directory.selfId && address !== undefined) this.probe(id, address);
    }
  }

  private probe(peer: NodeId, address: string): void {
    this.failures.inc({ peer }, 0);
    const startedMs = performance.now();
    const client = this.channels.channelTo(address).client(HealthClient);
    const deadline = Date.now() + PROBE_TIMEOUT_MS;
    client.check({ service: '' }, new Metadata(), { deadline }, (error) => {
      if (error) this.failures.inc({ peer });
      else this.roundTrips.observe({ peer }, (performance.now() - startedMs) / 1_000);
    });
  }
}
