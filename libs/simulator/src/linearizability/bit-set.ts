/** A set of small whole numbers from 0. */
export class BitSet {
  private readonly words: Uint32Array;

  constructor(size: number) {
    this.words = new Uint32Array((size + 31) >>> 5);
  }

  has(member: number): boolean {
    return (this.words[member >>> 5]! & (1 << (member & 31))) !== 0;
  }

  add(member: number): void {
    this.words[member >>> 5]! |= 1 << (member & 31);
  }

  remove(member: number): void {
    this.words[member >>> 5]! &= ~(1 << (member & 31));
  }

  /** Which of `from` to `to` are members, as text; it also depends on up to 31 others on either side. */
  textOf(from: number, to: number): string {
    let text = '';
    for (let i = from >>> 5; i <= to >>> 5; i++) text += `${this.words[i]!.toString(36)}.`;
    return text;
  }

  copy(): Uint32Array {
    return this.words.slice();
  }

  /** All of `members`, which is a copy of a set of the same size, are members of this one. */
  includes(members: Uint32Array): boolean {
    return members.every((word, i) => (word & ~this.words[i]!) === 0);
  }

  isIncludedIn(members: Uint32Array): boolean {
    return members.every((word, i) => (this.words[i]! & ~word) === 0);
  }
}
