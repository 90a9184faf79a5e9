/**
 * The history of one register that one client alone writes, with 1, 2, 3 and so on. Then linearizability is one
 * comparison: a read gives at least what was acknowledged before it began, and at most what was begun before it ended.
 */
export class NumberedRegister {
  /** The highest number whose write was acknowledged. */
  acknowledged = 0;
  /** Reads that no linearizable register can have given. */
  readonly contradictions: string[] = [];
  private begun = 0;

  /** Writes the next number; `put` resolves when it was acknowledged. One write at a time. */
  async write(put: (n: number) => Promise<void>): Promise<void> {
    this.begun += 1;
    await put(this.begun);
    this.acknowledged = this.begun;
  }

  /** Reads at `where` and notes a contradiction. An answer that is no number, such as a refusal, is none. */
  async read<T>(where: string, get: () => Promise<T>): Promise<T> {
    const atLeast = this.acknowledged;
    const answer = await get();
    if (typeof answer === 'number' && !(answer >= atLeast && answer <= this.begun)) {
      this.contradictions.push(
        `${where} answered ${answer}; ${atLeast} was acknowledged before, and ${this.begun} the last that was written`,
      );
    }
    return answer;
  }
}
