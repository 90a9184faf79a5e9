import { SingleBar } from 'cli-progress';
import type { OutputStream } from '../io.js';
import { joinStateText, percentOf, type JoinState } from './join-state.js';

/** Elsewhere than on a terminal, a line for each step of so many percent. */
const PERCENT_STEP = 25;

/** Shows how a newcomer gets on: a bar on a terminal, elsewhere a line for whatever is new. */
export class JoinProgress {
  private readonly bar: SingleBar | undefined;
  private lastLine = '';

  constructor(
    private readonly stream: OutputStream,
    private readonly nodeId: string,
    private readonly address: string,
  ) {
    if (stream.isTTY !== true) return;
    this.bar = new SingleBar({
      stream,
      format: `${nodeId} [{bar}] {percentage}% {state}`,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
    });
    this.bar.start(100, 0, { state: '' });
  }

  show(state: JoinState): void {
    const percent = state.kind === 'voter' ? 100 : state.kind === 'catching_up' ? percentOf(state) : undefined;
    const text = joinStateText(state, this.address);
    if (this.bar) {
      if (percent === undefined) this.bar.update({ state: text });
      else this.bar.update(percent, { state: text });
      return;
    }
    const step = percent === undefined ? '' : Math.floor(percent / PERCENT_STEP);
    const line = `${state.kind} ${step}`;
    if (line !== this.lastLine && state.kind !== 'voter') this.stream.write(`${this.nodeId} ${text}\n`);
    this.lastLine = line;
  }

  stop(): void {
    this.bar?.stop();
  }
}
