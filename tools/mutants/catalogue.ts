import { DURABILITY_MUTANTS } from './catalogue/durability.js';
import { ELECTION_MUTANTS } from './catalogue/elections.js';
import { MEMBERSHIP_MUTANTS } from './catalogue/membership.js';
import { READ_MUTANTS } from './catalogue/reads.js';
import { REPLICATION_MUTANTS } from './catalogue/replication.js';
import type { Mutant } from './mutant.js';

/** The bugs of the scoreboard. */
export const CATALOGUE: readonly Mutant[] = [
  ...ELECTION_MUTANTS,
  ...REPLICATION_MUTANTS,
  ...READ_MUTANTS,
  ...MEMBERSHIP_MUTANTS,
  ...DURABILITY_MUTANTS,
];
