/** Chunks of any size, taken in the sizes that a reader wants. */
export class ByteSource {
  private readonly iterator: AsyncIterator<Uint8Array>;
  private readonly waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private taken = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.iterator = chunks[Symbol.asyncIterator]();
  }

  /** Of the next byte. */
  get offset(): number {
    return this.taken;
  }

  /** Undefined if so many do not come any more. */
  async take(bytes: number): Promise<Uint8Array | undefined> {
    if (!(await this.fill(bytes))) return undefined;
    const result = new Uint8Array(bytes);
    for (let at = 0; at < bytes;) {
      const first = this.waiting[0]!;
      const part = first.subarray(0, bytes - at);
      result.set(part, at);
      at += part.length;
      if (part.length === first.length) this.waiting.shift();
      else this.waiting[0] = first.subarray(part.length);
    }
    this.waitingBytes -= bytes;
    this.taken += bytes;
    return result;
  }

  async isAtEnd(): Promise<boolean> {
    return !(await this.fill(1));
  }

  /** Lets go of the chunks, when the rest is not wanted. */
  async close(): Promise<void> {
    await this.iterator.return?.();
  }

  private async fill(bytes: number): Promise<boolean> {
    while (this.waitingBytes < bytes) {
      const next = await this.iterator.next();
      if (next.done === true) return false;
      if (next.value.length === 0) continue;
      this.waiting.push(next.value);
      this.waitingBytes += next.value.length;
    }
    return true;
  }
}
