import type { Message, RequestVote, RequestVoteResponse } from '@app/raft';
import { PeerInbox } from '../peers/peer-inbox.js';
import { VoteDesk } from './vote-desk.js';

const request = (from: string, preVote: boolean): RequestVote => ({
  type: 'RequestVote',
  from,
  to: 'me',
  term: 2,
  lastLogIndex: 0,
  lastLogTerm: 0,
  preVote,
});

const response = (to: string, preVote: boolean): RequestVoteResponse => ({
  type: 'RequestVoteResponse',
  from: 'me',
  to,
  term: 2,
  voteGranted: true,
  preVote,
});

function open() {
  const inbox = new PeerInbox();
  const received: Message[] = [];
  inbox.readBy({
    received: (message) => received.push(message),
    unreachable: () => undefined,
    disconnected: () => undefined,
  });
  return { desk: new VoteDesk(inbox), received };
}

describe('VoteDesk', () => {
  it('hands the question to the core and the answer to the candidate that asked', async () => {
    const { desk, received } = open();
    const [a, b, preB] = [desk.ask(request('a', false)), desk.ask(request('b', false)), desk.ask(request('b', true))];
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
    const first = desk.ask(request('a', false));
    const second = desk.ask(request('a', false));
    await expect(first).rejects.toMatchObject({ code: 'TIMED_OUT' });
    desk.answer(response('a', false));
    await expect(second).resolves.toMatchObject({ voteGranted: true });
  });
});
