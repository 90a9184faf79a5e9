import { UNITS_PER_TICK, type SimTime } from '../observer.js';
import type { WorldControl } from '../world-control.js';

const PERIOD = UNITS_PER_TICK >> 1;
const KEY = Uint8Array.of(0);

/**
 * Asks whoever leads beside a leader of a later term, or does not know yet what is committed, for as long as that lasts: what it answers must not
 * be old. Clients of their own accord are seldom there at such a time. The answers are judged by `ReadChecks`.
 */
export class RivalReader {
  constructor(private readonly world: WorldControl) {}

  start(end: SimTime): void {
    if (this.world.now >= end) return;
    this.ask();
    this.world.at(this.world.now + PERIOD, () => this.start(end));
  }

  private ask(): void {
    const { world } = this;
    const terms = world.ids.map((id) => {
      const { state } = world.node(id);
      return state?.role === 'leader' ? state.currentTerm : 0;
    });
    const latest = Math.max(...terms);
    world.ids.forEach((id, i) => {
      const isUnsure = world.node(id).state?.hasCommittedInTerm !== true;
      if (terms[i] === 0 || (terms[i] === latest && !isUnsure)) return;
      world.node(id).read(KEY, 'lease', () => undefined);
      world.node(id).read(KEY, 'read_index', () => undefined);
    });
  }
}
