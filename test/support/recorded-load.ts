import { Availability } from '../../tools/faults/availability.js';
import { Chance } from '../../tools/faults/chance.js';
import { DatabaseClient, completionOf, type PlacedKey } from '../../tools/faults/database-client.js';
import { HistoryRecorder } from '../../tools/faults/history-recorder.js';
import { HttpCaller, type HttpAnswer } from '../../tools/faults/http-caller.js';
import { keyFaults } from '../../tools/faults/key-check.js';
import { registerStep } from '../../tools/faults/workloads/register.js';
import { eventually } from './eventually.js';

const CLIENTS_PER_KEY = 3;
/** Then a group goes on with a new key: a longer history of one key is expensive to check. */
const OPERATIONS_PER_KEY = 200;

/** A caller that notes what clients were not given. */
class WatchedCaller extends HttpCaller {
  readonly failures: string[] = [];

  override async call(...call: Parameters<HttpCaller['call']>): Promise<HttpAnswer> {
    const startedAtMs = performance.now();
    const note = (what: string): void => {
      this.failures.push(`${call[0]} ${call[1]}: ${what} after ${Math.round(performance.now() - startedAtMs)} ms`);
    };
    try {
      const answer = await super.call(...call);
      if (completionOf(answer, () => null).type !== 'ok') note(`${answer.status} ${answer.text}`);
      return answer;
    } catch (error) {
      note((error as Error).message);
      throw error;
    }
  }
}

/**
 * Clients that read, write, and compare and set keys that they share, a few on each key, through one gateway, and record everything: for tests in
 * which no request may fail and all must be linearizable.
 */
export class RecordedLoad {
  private readonly caller: WatchedCaller;
  private readonly recorder: HistoryRecorder;
  private readonly availability: Availability;
  private readonly loops: Promise<void>[] = [];
  private isStopping = false;

  /** Begins at once. `keyTags`: by cluster, a prefix of keys that are there. */
  constructor(gatewayUrl: string, keyTags: ReadonlyMap<string, string>) {
    this.caller = new WatchedCaller(gatewayUrl);
    this.availability = new Availability([...keyTags.keys()], performance.now());
    this.recorder = new HistoryRecorder(this.availability);
    for (const [clusterId, keyTag] of keyTags) this.startGroup(clusterId, keyTag);
  }

  /** Requests that were refused, were not answered, or ended as unknown. */
  get failures(): readonly string[] {
    return this.caller.failures;
  }

  get succeeded(): number {
    return this.recorder.counts.ok;
  }

  /** Between one success and the next, in the cluster where it was longest. */
  get longestGapMs(): number {
    return this.availability.longestGapMs;
  }

  /** Waits until so many more requests were answered. */
  async goOn(requests: number, deadlineMs: number): Promise<void> {
    const enough = this.succeeded + requests;
    await eventually(`${requests} more requests`, () => Promise.resolve(this.succeeded >= enough), deadlineMs);
  }

  /** Lets all clients finish; gives what is wrong with what they were told, key by key. */
  async stop(): Promise<string[]> {
    this.isStopping = true;
    await Promise.all(this.loops);
    this.caller.close();
    return keyFaults(this.recorder.events);
  }

  private startGroup(clusterId: string, keyTag: string): void {
    const group = { operations: 0, generation: 0, values: 0 };
    for (let i = 0; i < CLIENTS_PER_KEY; i++) {
      const process = this.loops.length;
      const client = new DatabaseClient(process, [this.caller], this.recorder, new Chance(process, 'recorded load'));
      const run = async (): Promise<void> => {
        let knowledge = { target: { key: '', clusterId } as PlacedKey, revision: undefined, nextValue: () => '' };
        while (!this.isStopping) {
          if (++group.operations % OPERATIONS_PER_KEY === 0) group.generation += 1;
          const key = `${keyTag}recorded-${group.generation}`;
          if (knowledge.target.key !== key) {
            const nextValue = (): string => `${clusterId}-${++group.values}`;
            knowledge = { target: { key, clusterId }, revision: undefined, nextValue };
          }
          await registerStep(client, knowledge);
        }
      };
      this.loops.push(run());
    }
  }
}
