/** The only source of chance in the core. Seeded, and one stream per node: equal streams would let all nodes time out together. */
export interface Random {
  /** A whole number, uniform in `[min, max]`, both inclusive. */
  nextInt(min: number, max: number): number;
}
