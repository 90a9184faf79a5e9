import type { RaftConfig } from '../../raft-config.js';
import { exactly, wholeNumber, type Command } from './command.js';
import { ScenarioError } from './scenario-error.js';
import type { CastMember, Stage } from './stage.js';

type NumberOption = { [K in keyof RaftConfig]-?: RaftConfig[K] extends number ? K : never }[keyof RaftConfig];

const switches: Readonly<Record<string, 'preVote' | 'checkQuorum'>> = {
  'pre-vote': 'preVote',
  'check-quorum': 'checkQuorum',
};

const numbers: Readonly<Record<string, NumberOption>> = {
  'election-timeout': 'electionTimeoutTicks',
  heartbeat: 'heartbeatTicks',
  lease: 'leaseTicks',
  'append-bytes': 'appendBytesMax',
  window: 'inflightMessagesMax',
  'retained-entries': 'retainedEntries',
  'memory-bytes': 'cacheBytesMax',
};

function member(stage: Stage, id: string | undefined): CastMember {
  if (stage.hasBegun) throw new ScenarioError('this belongs before the first event');
  const found = stage.cast.get(id ?? '');
  if (found === undefined) throw new ScenarioError(`there is no node "${id ?? ''}"`);
  return found;
}

/** How a group starts. */
export const setupCommands: Readonly<Record<string, Command>> = {
  nodes: {
    usage: 'nodes NAME...',
    isSetup: true,
    run(stage, args) {
      if (args.length === 0) throw new ScenarioError('no names');
      for (const id of args) {
        if (!/^[A-Za-z][A-Za-z0-9]*$/.test(id)) throw new ScenarioError(`"${id}" is no name of letters and digits`);
        if (stage.cast.has(id)) throw new ScenarioError(`two nodes with the name "${id}"`);
        stage.cast.set(id, { terms: [] });
      }
    },
  },
  log: {
    usage: 'log NAME... TERM...',
    isSetup: true,
    run(stage, args) {
      const firstTerm = args.findIndex((word) => /^\d/.test(word));
      if (firstTerm < 1) throw new ScenarioError('names first, then the terms of the entries');
      const terms = args.slice(firstTerm).map((term) => wholeNumber(term, 1));
      if (terms.some((term, i) => term < (terms[i - 1] ?? 0))) throw new ScenarioError('the terms of a log never fall');
      for (const id of args.slice(0, firstTerm)) member(stage, id).terms = terms;
    },
  },
  term: {
    usage: 'term TERM [NAME...]',
    isSetup: true,
    run(stage, [term, ...ids]) {
      for (const id of ids.length > 0 ? ids : stage.cast.keys()) {
        const cast = member(stage, id);
        cast.currentTerm = wholeNumber(term);
        if (cast.currentTerm < (cast.terms.at(-1) ?? 0)) throw new ScenarioError(`the log of ${id} is of a later term`);
      }
    },
  },
  vote: {
    usage: 'vote NAME NAME',
    isSetup: true,
    run(stage, args) {
      const [id, candidate] = exactly(2, args);
      member(stage, candidate);
      member(stage, id).votedFor = candidate!;
    },
  },
  option: {
    usage: `option NAME VALUE, of ${[...Object.keys(switches), ...Object.keys(numbers), 'incarnations', 'seed'].join(', ')}`,
    isSetup: true,
    run(stage, args) {
      const [name, value] = exactly(2, args);
      if (stage.hasBegun) throw new ScenarioError('this belongs before the first event');
      const flag = Object.hasOwn(switches, name!) ? switches[name!] : undefined;
      const number = Object.hasOwn(numbers, name!) ? numbers[name!] : undefined;
      if (flag !== undefined) {
        stage.config[flag] = onOrOff(value);
      } else if (number !== undefined) {
        stage.config[number] = wholeNumber(value);
      } else if (name === 'incarnations') {
        stage.hasIncarnations = onOrOff(value);
      } else if (name === 'seed') {
        stage.seed = wholeNumber(value, 1);
      } else {
        throw new ScenarioError(`there is no option "${name}"`);
      }
    },
  },
};

function onOrOff(value: string | undefined): boolean {
  if (value !== 'on' && value !== 'off') throw new ScenarioError(`"${value ?? ''}" is neither on nor off`);
  return value === 'on';
}
