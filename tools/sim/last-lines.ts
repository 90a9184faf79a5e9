/** The last lines of many; the others are forgotten. */
export class LastLines {
  private readonly lines: string[] = [];
  private added = 0;

  constructor(private readonly linesMax: number) {}

  add(line: string): void {
    this.lines[this.added % this.linesMax] = line;
    this.added += 1;
  }

  /** Oldest first. */
  get kept(): readonly string[] {
    const start = this.added > this.linesMax ? this.added % this.linesMax : 0;
    return [...this.lines.slice(start), ...this.lines.slice(0, start)];
  }

  get forgotten(): number {
    return Math.max(0, this.added - this.linesMax);
  }
}
