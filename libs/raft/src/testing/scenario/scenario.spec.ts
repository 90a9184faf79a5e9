import { runScenario } from './scenario.js';
import { parseScript, renderScript } from './script.js';

const lines = (...each: readonly string[]) => `${each.join('\n')}\n`;
const run = (...each: readonly string[]) => runScenario('a.txt', lines(...each));

describe('a script', () => {
  it('consists of comments, empty lines and commands; what is indented was recorded', () => {
    const parsed = parseScript(lines('# why', '', 'nodes a b', '    recorded', 'cut a->b', '  recorded'));
    expect(parsed.map(({ number, words }) => [number, words])).toEqual([
      [1, []],
      [2, []],
      [3, ['nodes', 'a', 'b']],
      [5, ['cut', 'a', '->', 'b']],
    ]);
  });

  it('is written with what each line has led to behind it, indented', () => {
    const recorded = [
      { text: '# why', output: [] },
      { text: 'show', output: ['one', '    two'] },
    ];
    expect(renderScript(recorded)).toBe(lines('# why', 'show', '    one', '        two'));
  });
});

describe('running a script', () => {
  const election = ['nodes a b', 'option pre-vote off', 'campaign a', 'stabilize', 'expect leader a'];

  it('records messages where they arrive, what they change, and what is left on its way', () => {
    expect(run(...election.slice(0, 3), 'deliver', 'expect a term 1')).toBe(
      lines(
        'nodes a b',
        'option pre-vote off',
        'campaign a',
        '    a: candidate in term 1; votes for itself',
        '    on its way: RequestVote a -> b',
        'deliver',
        '    a -> b  RequestVote of term 1: my log ends at 0',
        '        b: term 1; votes for a',
        '    on its way: RequestVoteResponse b -> a',
        'expect a term 1',
      ),
    );
  });

  it('gives the same text again when it is run on its own record', () => {
    const recorded = run('# An election.', '', ...election);
    expect(runScenario('a.txt', recorded)).toBe(recorded);
    expect(recorded.split('\n').length).toBeGreaterThan(10);
  });

  it('notices a record that differs', () => {
    const recorded = run(...election);
    expect(runScenario('a.txt', recorded.replace('votes for itself', 'votes for b'))).toBe(recorded);
  });

  it('leaves messages out of what is done quietly', () => {
    const quiet = run('nodes a b', 'campaign a', 'quietly stabilize', 'expect leader a');
    expect(quiet).toContain('a: leader in term 1');
    expect(quiet).not.toContain('RequestVote of');
  });

  it('can return to a mark: everything up to there happens again, in the same way', () => {
    const recorded = run(
      ...['nodes a b c', 'elect a', 'mark up', 'propose a x=1', 'quietly stabilize', 'expect committed 2.1'],
      ...['return to up', 'expect a log 1.1', 'expect not committed 2.1'],
    );
    expect(recorded.match(/leader in term 1/g)).toHaveLength(1);
  });

  it('begins anew with every "nodes"', () => {
    expect(() => run('nodes a', 'elect a', 'expect leader a', 'nodes b', 'expect leader none')).not.toThrow();
  });
});

describe('a script that is wrong', () => {
  it.each([
    [['nodes a', 'fly a'], 'a.txt:2: fly a', '"fly" is no command'],
    [['nodes a', 'toString'], 'a.txt:2', '"toString" is no command'],
    [['# first', '', 'campaign a'], 'a.txt:3', 'there are no nodes yet'],
    [['nodes'], 'a.txt:1', 'usage: nodes NAME...'],
    [['nodes a a'], 'a.txt:1', 'two nodes with the name "a"'],
    [['nodes a', 'campaign b'], 'a.txt:2', 'there is no node "b"'],
    [['nodes a', 'campaign'], 'a.txt:2', 'usage: campaign NAME'],
    [['nodes a', 'log b 1'], 'a.txt:2', 'there is no node "b"'],
    [['nodes a', 'log a 2 1'], 'a.txt:2', 'the terms of a log never fall'],
    [['nodes a', 'log a 3', 'term 2'], 'a.txt:3', 'the log of a is of a later term'],
    [['nodes a', 'elect a', 'term 2'], 'a.txt:3', 'this belongs before the first event'],
    [['nodes a', 'option speed 9'], 'a.txt:2', 'there is no option "speed"'],
    [['nodes a', 'option pre-vote maybe'], 'a.txt:2', '"maybe" is neither on nor off'],
    [['nodes a b', 'wait long'], 'a.txt:2', '"long" is no whole number'],
    [['nodes a b', 'campaign a', 'deliver b -> a'], 'a.txt:3', 'no such message is on its way'],
    [['nodes a b', 'campaign a', 'deliver a -> x'], 'a.txt:3', 'there is no node "x"'],
    [['nodes a b', 'campaign a', 'deliver Vote'], 'a.txt:3', 'there is no message "Vote"'],
    [['nodes a b', 'campaign a', 'deliver a to b'], 'a.txt:3', 'there is no message "a"'],
    [['nodes a', 'restart a'], 'a.txt:2', 'a is not down'],
    [['nodes a', 'crash a', 'campaign a'], 'a.txt:3', 'a is down'],
    [['nodes a b', 'add c'], 'a.txt:2', 'there is no leader to ask'],
    [['nodes a', 'elect a', 'add c'], 'a.txt:3', 'there is no node "c"'],
    [['nodes a', 'return to b'], 'a.txt:2', 'there is no mark "b"'],
    [['nodes a', 'mark m', 'mark m'], 'a.txt:3', 'there is a mark "m" already'],
    [['nodes a', 'expect a happy'], 'a.txt:2', '"a happy" is nothing to expect'],
    [['nodes a', 'expect a log'], 'a.txt:2', 'nothing is expected'],
    [['nodes a'], 'a.txt', 'does not end with an expectation'],
    [['nodes a', 'elect a', 'nodes b', 'expect leader none'], 'a.txt:3', 'does not end with an expectation'],
  ])('%j: %s says "%s"', (script, where, what) => {
    expect(() => run(...script)).toThrow(where);
    expect(() => run(...script)).toThrow(what);
  });
});

describe('an expectation that is not met', () => {
  const start = ['nodes a b', 'elect a', 'propose a x=1', 'read a', 'propose b y=1'];

  it.each([
    'leader b',
    'leader none',
    'accepted',
    'rejected uncommitted_limit',
    'committed 2.1',
    'not committed 1.1',
    'equal logs',
    'quiet',
    'read 1 confirmed',
    'a is follower',
    'all term 2',
    'a vote b',
    'b follows nobody',
    'b log 1.1 2.1',
    'a commit 2',
    'a applied 0',
    'a configuration {a}',
    'a expelled removed',
    'a transfer b',
    'a commands x=1',
  ])('"expect %s" ends the run, and shows where it stands', (expectation) => {
    expect(() => run(...start, `expect ${expectation}`)).toThrow(`a.txt:6: expect ${expectation}`);
    expect(() => run(...start, `expect ${expectation}`)).toThrow(/a +leader +1 +a/);
  });

  it.each([
    'leader a',
    'rejected not_leader',
    'committed 1.1',
    'not committed 2.1',
    'equal logs a',
    'read 1 pending',
    'a is leader',
    'all term 1',
    'a b vote a',
    'b follows a',
    'a log 1.1 2.1',
    'a commit 1',
    'a applied 1',
    'all configuration {a b}',
    'a expelled no',
    'a transfer none',
    'a commands none',
  ])('while "expect %s" holds there', (expectation) => {
    expect(() => run(...start, `expect ${expectation}`)).not.toThrow();
  });
});

it('an invariant that breaks ends the run at the line where it does', () => {
  // Two different logs that both claim index 1 of term 1 cannot come about; the terms alone are equal here, what came before is not.
  const script = ['nodes a b', 'log a 1 2', 'log b 2 2', 'campaign a', 'expect leader none'];
  expect(() => run(...script)).toThrow(/a\.txt:4: campaign a\nentry 2\/2 is/);
});
