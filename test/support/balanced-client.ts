import { setTimeout as delay } from 'node:timers/promises';
import { httpGet } from '../../tools/local-cluster/http-get.js';
import { HttpClient, type HttpAnswer, type HttpCall } from './http-client.js';

const LOOK_INTERVAL_MS = 100;
const LOOK_TIMEOUT_MS = 1_000;

/**
 * A client behind a load balancer: it looks at `/readyz` of several gateways, and sends each request to the next one that was ready. The
 * one thing that it repeats is a connection that was refused: nobody was there to take the request.
 */
export class BalancedClient extends HttpClient {
  private readonly clients: readonly HttpClient[];
  private ready: readonly HttpClient[];
  private next = 0;
  private readonly looking: Promise<void>;
  private isClosed = false;

  constructor(urls: readonly string[]) {
    super(urls[0]!);
    this.clients = urls.map((url) => new HttpClient(url));
    this.ready = this.clients;
    this.looking = this.look();
  }

  override async call(method: string, path: string, call?: HttpCall): Promise<HttpAnswer> {
    for (let tries = 1; ; tries++) {
      const client = this.ready[this.next++ % this.ready.length]!;
      try {
        return await client.call(method, path, call);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || tries === 2 * this.clients.length) throw error;
      }
    }
  }

  /** Resolves when it no longer looks. */
  async end(): Promise<void> {
    this.isClosed = true;
    await this.looking;
    for (const client of this.clients) client.close();
    this.close();
  }

  private async look(): Promise<void> {
    while (!this.isClosed) {
      const areReady = await Promise.all(this.clients.map(({ baseUrl }) => isReady(baseUrl)));
      const ready = this.clients.filter((_, i) => areReady[i]);
      // With none, any of them may know better by now.
      this.ready = ready.length > 0 ? ready : this.clients;
      await delay(LOOK_INTERVAL_MS);
    }
  }
}

async function isReady(baseUrl: string): Promise<boolean> {
  try {
    return (await httpGet(`${baseUrl}/readyz`, LOOK_TIMEOUT_MS)).status === 200;
  } catch {
    return false;
  }
}
