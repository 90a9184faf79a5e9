/**
 * How many lines about the same kind of trouble are logged in a second: when everything fails, a line for each failure would be one more
 * trouble. The clock is given, in milliseconds.
 */
export class LogBudget {
  private secondBegan = -Infinity;
  private spent = 0;
  private leftOut = 0;

  constructor(private readonly linesPerSecondMax: number) {}

  /** Undefined: leave this line out. Else log it, and with it how many were left out before it. */
  spend(nowMs: number): number | undefined {
    if (nowMs - this.secondBegan >= 1_000) {
      this.secondBegan = nowMs;
      this.spent = 0;
    }
    if (this.spent >= this.linesPerSecondMax) {
      this.leftOut += 1;
      return undefined;
    }
    this.spent += 1;
    const { leftOut } = this;
    this.leftOut = 0;
    return leftOut;
  }
}
