import { Hash64, hex64, type Word64 } from './hash64.js';

const SEED_HIGH = 0x48697374;
const SEED_LOW = 0x6f727931;

/**
 * A chain over all that was applied: for each entry its index, the log time behind it and the bytes of its answers. Whoever once answered
 * otherwise than the others, or took another entry in some place, is never equal to them again. How entries were grouped is not in it.
 */
export class HistoryHash implements Word64 {
  private readonly chain = new Hash64().start(SEED_HIGH, SEED_LOW);

  get high(): number {
    return this.chain.high;
  }

  get low(): number {
    return this.chain.low;
  }

  /** Back to where nothing was applied. */
  clear(): void {
    this.chain.start(SEED_HIGH, SEED_LOW);
  }

  /** Goes on from a chain that was kept. */
  restore({ high, low }: Word64): void {
    this.chain.start(high, low);
  }

  add(index: number, logTimeMs: number, answers: readonly Uint8Array[]): void {
    const { chain } = this;
    chain.integer(index).integer(logTimeMs).word(answers.length);
    for (const answer of answers) chain.word(answer.length).bytes(answer);
    chain.finish();
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex64(this);
  }
}
