import { encodeRequests, valueOf } from './request-file.js';

describe('encodeRequests', () => {
  it('is what replay.lua reads: blocks with their length, then the order', () => {
    const requests = [
      { head: Buffer.from('GET /\r\n\r\n'), hasTail: false },
      { head: Buffer.from('PUT /\r\n\r\n{'), hasTail: true },
    ];
    expect(encodeRequests(Buffer.from('ab}'), requests, [2, 1, 2]).toString()).toBe(
      '3\nab}\n2\n0 9\nGET /\r\n\r\n\n1 10\nPUT /\r\n\r\n{\n3\n2 1 2\n',
    );
  });
});

describe('valueOf', () => {
  it('is text of the wanted length', () => {
    for (const bytes of [1, 16, 4096]) expect(valueOf(bytes).toString()).toMatch(new RegExp(`^[\\w+/=]{${bytes}}$`));
  });
});
