import type { Mutant } from './mutant.js';

/** The bugs of the scoreboard. */
export const CATALOGUE: readonly Mutant[] = [
  {
    name: 'is-voter',
    breaks: 'quorum',
    edits: [
      {
        file: 'libs/raft/src/configuration.ts',
        find: 'return configuration.voters.includes(id) || configuration.outgoingVoters.includes(id);',
        replace: 'return configuration.voters.includes(id) && configuration.outgoingVoters.includes(id);',
      },
    ],
    note: 'x',
  },
  {
    name: 'loop',
    breaks: 'quorum',
    edits: [
      {
        file: 'libs/raft/src/configuration.ts',
        find: 'return configuration.voters.includes(id) || configuration.outgoingVoters.includes(id);',
        replace: 'while (id) id += 0; return configuration.voters.includes(id);',
      },
    ],
    note: 'x',
  },
  {
    name: 'survivor',
    breaks: 'quorum',
    edits: [
      {
        file: 'libs/raft/src/configuration.ts',
        find: 'return configuration.outgoingVoters.length > 0;',
        replace: 'return configuration.outgoingVoters.length > 5;',
      },
    ],
    note: 'x',
  },
];
