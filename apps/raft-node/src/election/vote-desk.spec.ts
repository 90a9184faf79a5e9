import type { Message, RequestVote, RequestVoteResponse } from '@app/raft';
import { PeerInbox } from '../peers/peer-inbox.js';
import { VoteDesk } from './vote-desk.js';

const request = (from: string, preVote: boolean, term = 2): RequestVote => ({
  type: 'RequestVote',
  from,
  to: 'me',
  term,
  lastLogIndex: 0,
  lastLogTerm: 0,
  preVote,
  isTransfer: false,
});

const response = (to: string, preVote: boolean, more: Partial<RequestVoteResponse> = {}): RequestVoteResponse => ({
  type: 'RequestVoteResponse',
  from: 'me',
  to,
  term: 2,
  voteGranted: true,
  preVote,
  ...more,
});

function open() {
  const inbox = new PeerInbox();
  const received: Message[] = [];
  inbox.readBy({
    received: (message) => received.push(message),
    snapshotReceived: () => undefined,
    unreachable: () => undefined,
    disconnected: () => undefined,
  });
  return { desk: new VoteDesk(inbox), received };
}

describe('VoteDesk', () => {
  it('hands the question to the core and the answer to the candidate that asked', async () => {
    const { desk, received } = open();
    const [a, b, preB] = [
      desk.ask(request('a', false), undefined),
      desk.ask(request('b', false), undefined),
      desk.ask(request('b', true), undefined),
    ];
    expect(received).toHaveLength(3);
    desk.answer(response('b', true));
    desk.answer(response('a', false));
    desk.answer(response('b', false));
    await expect(Promise.all([a, b, preB])).resolves.toMatchObject([
      { to: 'a', preVote: false },
      { to: 'b', preVote: false },
      { to: 'b', preVote: true },
    ]);
  });

  it('keeps one call per candidate: a later request ends the earlier, which the core may never answer', async () => {
    const { desk } = open();
    const first = desk.ask(request('a', false), undefined);
    const second = desk.ask(request('a', false), undefined);
    await expect(first).rejects.toMatchObject({ code: 'TIMED_OUT' });
    desk.answer(response('a', false));
    await expect(second).resolves.toMatchObject({ voteGranted: true });
  });

  it('does not give a candidate the answer to its earlier request, which the disk held up', async () => {
    const { desk } = open();
    const first = desk.ask(request('a', false, 5), undefined);
    const second = desk.ask(request('a', false, 6), undefined);
    await expect(first).rejects.toMatchObject({ code: 'TIMED_OUT' });
    desk.answer(response('a', false, { term: 5 }));
    desk.answer(response('a', false, { term: 6 }));
    await expect(second).resolves.toMatchObject({ term: 6 });
  });

  it('passes on a refused pre-vote, which has the term of the voter', async () => {
    const { desk } = open();
    const asked = desk.ask(request('a', true, 6), undefined);
    desk.answer(response('a', true, { term: 5, voteGranted: false }));
    await expect(asked).resolves.toMatchObject({ term: 5, voteGranted: false });
  });
});
