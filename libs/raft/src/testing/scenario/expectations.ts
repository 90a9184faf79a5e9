import { EntryType } from '../../entry.js';
import { exactly, wholeNumber, type Command } from './command.js';
import { position, textOf } from './describe-entry.js';
import { logOfView, roleOf } from './node-view.js';
import { ExpectationError, ScenarioError } from './scenario-error.js';
import type { Stage } from './stage.js';

/** What a script can claim of one node; gives what is the case, to be equal to the words behind it. */
const claims: Readonly<Record<string, (stage: Stage, id: string) => string>> = {
  is: (stage, id) => roleOf(stage.view(id)),
  term: (stage, id) => `${stage.view(id).term}`,
  vote: (stage, id) => stage.view(id).votedFor ?? 'nobody',
  follows: (stage, id) => stage.view(id).leaderId ?? 'nobody',
  log: (stage, id) => logOfView(stage.view(id)),
  commit: (stage, id) => `${stage.view(id).commitIndex}`,
  applied: (stage, id) => `${stage.view(id).appliedIndex}`,
  configuration: (stage, id) => stage.view(id).configuration,
  expelled: (stage, id) => stage.view(id).expulsion ?? 'no',
  transfer: (stage, id) => stage.view(id).transferTo ?? 'none',
  commands: (stage, id) =>
    stage
      .node(id)
      .applied.filter(({ type }) => type === EntryType.Normal)
      .map(({ data }) => textOf(data))
      .join(' ') || 'none',
};

const usage = [
  'expect leader NAME|none',
  'expect accepted',
  'expect rejected REASON',
  'expect committed INDEX.TERM...',
  'expect not committed INDEX.TERM...',
  'expect equal logs [NAME...]',
  'expect read NUMBER confirmed|pending|REASON',
  'expect quiet',
  `expect NAME...|all ${Object.keys(claims).join('|')} VALUE...`,
].join('\n');

export const expectCommand: Command = {
  usage,
  run(stage, args) {
    const [subject, ...rest] = args;
    switch (subject) {
      case 'leader':
        same(exactly(1, rest)[0]!, stage.group.leader?.id ?? 'none', 'the leader of the latest term');
        return;
      case 'accepted':
        exactly(0, rest);
        same('accepted', stage.rejection ?? 'accepted', 'the answer');
        return;
      case 'rejected':
        same(exactly(1, rest)[0]!, stage.rejection ?? 'accepted', 'the answer');
        return;
      case 'committed':
        for (const entry of someOf(rest))
          if (!isCommitted(stage, entry)) throw new ExpectationError(`${entry} is not committed`);
        return;
      case 'not':
        if (rest[0] !== 'committed') throw new ScenarioError(`"not ${rest[0] ?? ''}" is nothing to expect`);
        for (const entry of someOf(rest.slice(1)))
          if (isCommitted(stage, entry)) throw new ExpectationError(`${entry} is committed`);
        return;
      case 'equal':
        if (rest[0] !== 'logs') throw new ScenarioError(`"equal ${rest[0] ?? ''}" is nothing to expect`);
        equalLogs(stage, rest.slice(1));
        return;
      case 'read': {
        const [context, outcome] = exactly(2, rest);
        same(outcome!, stage.group.outcomeOf(wholeNumber(context, 1)) ?? 'unknown', `read ${context}`);
        return;
      }
      case 'quiet':
        exactly(0, rest);
        same('nothing', stage.describeNetwork() || 'nothing', 'on the way');
        return;
      default:
        expectOfNodes(stage, args);
    }
  },
};

function expectOfNodes(stage: Stage, args: readonly string[]): void {
  const at = args.findIndex((word) => Object.hasOwn(claims, word));
  if (at < 1) throw new ScenarioError(`"${args.join(' ')}" is nothing to expect`);
  const claim = args[at]!;
  const expected = someOf(args.slice(at + 1)).join(' ');
  const named = args.slice(0, at);
  const ids = named.join() === 'all' ? [...stage.group.nodes.keys()] : named;
  for (const id of ids) same(expected, claims[claim]!(stage, stage.node(id).id), `${id} ${claim}`);
}

function equalLogs(stage: Stage, ids: readonly string[]): void {
  const views = stage.views.filter(({ id, isUp }) => (ids.length === 0 ? isUp : ids.includes(id)));
  for (const id of ids) stage.node(id);
  for (const view of views)
    same(logOfView(views[0]!), logOfView(view), `${view.id} log, compared with that of ${views[0]!.id}`);
}

/** Whether any node has ever held it committed. */
function isCommitted(stage: Stage, entry: string): boolean {
  const [index, term] = entry.split('.');
  const at = wholeNumber(index, 1);
  const committed = stage.group.invariants.committedTerms[at - 1];
  return position(at, committed ?? 0) === position(at, wholeNumber(term, 1));
}

function someOf(words: readonly string[]): readonly string[] {
  if (words.length === 0) throw new ScenarioError('nothing is expected');
  return words;
}

function same(expected: string, actual: string, what: string): void {
  if (expected !== actual) throw new ExpectationError(`expected "${expected}", but ${what}: "${actual}"`);
}
