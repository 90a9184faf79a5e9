import type { MembershipChange } from '../../membership.js';
import { exactly, type Command } from './command.js';
import { ScenarioError } from './scenario-error.js';
import type { Stage } from './stage.js';

/** Splits off `at NAME`: who is asked, by default the leader of the latest term. */
function asked(stage: Stage, args: readonly string[]): { readonly id: string; readonly rest: readonly string[] } {
  const at = args.indexOf('at');
  if (at === -1) return { id: stage.leader(), rest: args };
  if (at !== args.length - 2) throw new ScenarioError('"at NAME" stands at the end');
  return { id: stage.upNode(args[at + 1]!).id, rest: args.slice(0, at) };
}

function change(usage: string, toChange: (rest: readonly string[]) => MembershipChange): Command {
  return {
    usage,
    run(stage, args) {
      const { id, rest } = asked(stage, args);
      const wanted = toChange(rest);
      const { addLearners = [], promote = [], remove = [] } = wanted;
      for (const named of [...addLearners, ...promote, ...remove]) stage.node(named);
      const result = stage.upNode(id).raft.proposeChange(wanted);
      stage.answer(result.accepted ? undefined : result.reason, result.accepted ? '' : result.detail);
      stage.settle();
    },
  };
}

const some = (ids: readonly string[]): readonly string[] => {
  if (ids.length === 0) throw new ScenarioError('which node?');
  return ids;
};

/** `NAME by NAME`, and the like. */
function pair(rest: readonly string[], between: string): [string, string] {
  const [one, word, other, ...more] = rest;
  if (word !== between || other === undefined || more.length > 0)
    throw new ScenarioError(`"${between}" stands between two names`);
  return [one!, other];
}

/** `promote NAME... remove NAME...` in any order. */
function changeOf(words: readonly string[]): MembershipChange {
  const parts: Record<'add' | 'promote' | 'remove', string[]> = { add: [], promote: [], remove: [] };
  let part: string[] | undefined;
  for (const word of words) {
    if (word === 'add' || word === 'promote' || word === 'remove') part = parts[word];
    else if (part === undefined) throw new ScenarioError(`"${word}" is none of add, promote, remove`);
    else part.push(word);
  }
  return { addLearners: parts.add, promote: parts.promote, remove: parts.remove };
}

/** What operators do. */
export const membershipCommands: Readonly<Record<string, Command>> = {
  join: {
    usage: 'join NAME...',
    run(stage, ids) {
      for (const id of some(ids)) {
        if (!/^[A-Za-z][A-Za-z0-9]*$/.test(id)) throw new ScenarioError(`"${id}" is no name of letters and digits`);
        if (stage.group.nodes.has(id)) throw new ScenarioError(`${id} is there already`);
        stage.addNode(id);
      }
    },
  },
  wipe: {
    usage: 'wipe NAME',
    run(stage, args) {
      const [id] = exactly(1, args);
      stage.node(id!);
      stage.addNode(id!);
      stage.tell(`${id}: starts with an empty disk`);
    },
  },
  change: change('change [add NAME...] [promote NAME...] [remove NAME...] [at NAME]', changeOf),
  add: change('add NAME... [at NAME]', (ids) => ({ addLearners: some(ids) })),
  enlist: change('enlist NAME [for NAME] [at NAME]', (rest) => {
    const [id, replaced] = rest.length > 1 ? pair(rest, 'for') : [some(rest)[0]!, rest[0]!];
    return { addLearners: [id], joining: { [id]: replaced } };
  }),
  promote: change('promote NAME... [at NAME]', (ids) => ({ promote: some(ids) })),
  remove: change('remove NAME... [at NAME]', (ids) => ({ remove: some(ids) })),
  replace: change('replace NAME by NAME [at NAME]', (rest) => {
    const [remove, promote] = pair(rest, 'by');
    return { remove: [remove], promote: [promote] };
  }),
  transfer: {
    usage: 'transfer NAME to NAME',
    run(stage, args) {
      const [from, to] = pair(args, 'to');
      stage.answer(stage.upNode(from).raft.transferLeadership(stage.node(to).id));
      stage.settle();
    },
  },
};
