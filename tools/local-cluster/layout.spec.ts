import { layOut } from './layout.js';

const OPTIONS = {
  clusters: 2,
  nodes: 3,
  gateways: 2,
  dataDir: '/data',
  distDir: '/dist',
  ports: { gateway: [1, 2], grpc: [11, 12, 13, 14, 15, 16], ops: [21, 22, 23, 24, 25, 26] },
};

describe('layOut', () => {
  it('tells everybody the addresses of the nodes', () => {
    const { nodes, gateways } = layOut(OPTIONS);
    expect(nodes[4]!.env.RINGRAFT_PEERS).toBe('c2-n1=127.0.0.1:14,c2-n2=127.0.0.1:15,c2-n3=127.0.0.1:16');
    const c1 = 'c1=c1-n1@127.0.0.1:11|c1-n2@127.0.0.1:12|c1-n3@127.0.0.1:13';
    const c2 = 'c2=c2-n1@127.0.0.1:14|c2-n2@127.0.0.1:15|c2-n3@127.0.0.1:16';
    expect(gateways.map(({ env }) => env.RINGRAFT_CLUSTERS)).toEqual([`${c1};${c2}`, `${c1};${c2}`]);
    expect([...nodes, ...gateways].filter(({ env }) => env.RINGRAFT_REROUTES !== undefined)).toEqual([]);
  });

  it('leads each process to the others by its own way, and a node to itself directly', () => {
    const { nodes, gateways } = layOut({
      ...OPTIONS,
      addressFor: (from, { nodeId, clusterId, address }) => `${from}.${clusterId}.${nodeId}:${address.split(':')[1]}`,
    });
    expect(nodes[1]!.env.RINGRAFT_REROUTES).toBe('127.0.0.1:11=c1-n2.c1.c1-n1:11,127.0.0.1:13=c1-n2.c1.c1-n3:13');
    expect(nodes[1]!.env.RINGRAFT_LISTEN).toBe('127.0.0.1:12');
    expect(gateways[1]!.env.RINGRAFT_REROUTES).toContain('127.0.0.1:16=gateway-2.c2.c2-n3:16');
  });
});
