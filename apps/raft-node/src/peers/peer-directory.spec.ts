import { simpleConfiguration, type Configuration } from '@app/raft';
import { RaftNodeConfig } from '../raft-node.config.js';
import { PeerDirectory } from './peer-directory.js';

const ELECTION_TIMEOUT_MS = 50;

function directoryOf(peers: Record<string, string>, more: Partial<RaftNodeConfig> = {}): PeerDirectory {
  const config = Object.assign(new RaftNodeConfig(), {
    clusterId: 'c1',
    nodeId: 'n1',
    electionTimeoutMs: ELECTION_TIMEOUT_MS,
    peers: Object.entries(peers).map(([nodeId, address]) => ({ nodeId, address })),
    ...more,
  });
  return new PeerDirectory(config, 'disk of n1');
}

const configuration = (addresses: Record<string, string>, voters = Object.keys(addresses)): Configuration => ({
  ...simpleConfiguration(voters),
  addresses,
});

describe('PeerDirectory', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('knows what it was started with, until the configuration says more', () => {
    const directory = directoryOf({ n1: 'a:1', n2: 'a:2' });
    expect([directory.addressOf('n2'), directory.addressOf('n3')]).toEqual(['a:2', undefined]);
    directory.follow(configuration({ n2: 'b:2', n3: 'a:3' }, ['n1', 'n2', 'n3']));
    expect(['n1', 'n2', 'n3'].map((id) => directory.addressOf(id))).toEqual(['a:1', 'b:2', 'a:3']);
  });

  it('knows a member that left as long as it may have to be told, and then says that nobody is there', () => {
    const directory = directoryOf({ n1: 'a:1' });
    const vacated: string[] = [];
    directory.onVacated((address) => vacated.push(address));
    directory.follow(configuration({ n1: 'a:1', n2: 'a:2', n3: 'a:3' }));
    directory.follow(configuration({ n1: 'a:1', n3: 'b:3' }));
    expect([directory.addressOf('n2'), directory.addressOf('n3'), vacated]).toEqual(['a:2', 'b:3', []]);
    jest.advanceTimersByTime(10 * ELECTION_TIMEOUT_MS);
    expect(directory.addressOf('n2')).toBeUndefined();
    expect(vacated).toEqual(['a:2', 'a:3']);
  });

  it('does not call an address vacated at which somebody is again', () => {
    const directory = directoryOf({ n1: 'a:1' });
    const vacated: string[] = [];
    directory.onVacated((address) => vacated.push(address));
    const both = configuration({ n1: 'a:1', n2: 'a:2' });
    directory.follow(both);
    directory.follow(configuration({ n1: 'a:1' }));
    // As when the removal is truncated.
    directory.follow(both);
    jest.advanceTimersByTime(10 * ELECTION_TIMEOUT_MS);
    expect([directory.addressOf('n2'), vacated]).toEqual(['a:2', []]);
  });

  it('says what the configuration lacks; with `trustPeers` also where it is said to be wrong', () => {
    const peers = { n1: 'b:1', n2: 'b:2' };
    const inForce = configuration({ n1: 'a:1', n3: 'a:3' }, ['n1', 'n2', 'n3', 'n4']);
    expect(directoryOf(peers).unrecordedIn(inForce)).toEqual({ n2: 'b:2' });
    const trusting = directoryOf(peers, { trustPeers: true });
    expect(trusting.unrecordedIn(inForce)).toEqual({ n1: 'b:1', n2: 'b:2' });
    trusting.follow(inForce);
    expect(trusting.addressOf('n1')).toBe('b:1');
  });

  it('can answer a candidate that is no member, and keeps few of them', () => {
    const directory = directoryOf({ n1: 'a:1' });
    directory.follow(configuration({ n1: 'a:1' }));
    directory.candidateIsAt('gone', 'a:9');
    expect(directory.addressOf('gone')).toBe('a:9');
    directory.candidateIsAt('n1', 'x:1');
    expect(directory.addressOf('n1')).toBe('a:1');
    for (let i = 0; i < 1_000; i++) directory.candidateIsAt(`n${i}`, `b:${i}`);
    expect([directory.addressOf('gone'), directory.addressOf('n999')]).toEqual([undefined, 'b:999']);
  });

  describe('takes a message', () => {
    const joined = () => {
      const directory = directoryOf({ n1: 'a:1', seed: 'a:7' });
      directory.follow(configuration({ n1: 'a:1', n2: 'a:2' }));
      return directory;
    };

    it('of a member, or of whom it was started with', () => {
      expect(() => joined().assertAddressedToSelf('c1', 'n1', 'n2')).not.toThrow();
      expect(() => joined().assertAddressedToSelf('c1', 'n1', 'seed')).not.toThrow();
    });

    it('of a stranger that knows its data directory, as a leader does that came while it was away', () => {
      expect(() => joined().assertAddressedToSelf('c1', 'n1', 'n9', 'disk of n1')).not.toThrow();
    });

    it('of anybody, while it is no member itself', () => {
      const directory = directoryOf({ n1: 'a:1' });
      directory.follow(simpleConfiguration([]));
      expect(() => directory.assertAddressedToSelf('c1', 'n1', 'n9')).not.toThrow();
    });

    it.each([
      ['for another cluster', ['c2', 'n1', 'n2', 'disk of n1']],
      ['for another node', ['c1', 'n2', 'n3', 'disk of n1']],
      ['of itself', ['c1', 'n1', 'n1', 'disk of n1']],
      ['of a stranger', ['c1', 'n1', 'n9', '']],
      ['of another cluster of the same name', ['c1', 'n1', 'n9', 'disk of another n1']],
    ] as [string, [string, string, string, string]][])('but none %s', (_what, message) => {
      expect(() => joined().assertAddressedToSelf(...message)).toThrow(
        expect.objectContaining({ code: 'WRONG_CLUSTER' }) as Error,
      );
    });
  });
});
