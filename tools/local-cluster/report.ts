import Table from 'cli-table3';
import { colorsFor } from './colors.js';
import type { LocalCluster } from './local-cluster.js';

/** A table of every process: cluster, node, pid, address, role. Asks the nodes. */
export async function processTable(cluster: LocalCluster): Promise<string> {
  const colors = colorsFor(process.stdout);
  const table = new Table({ head: ['cluster', 'node', 'pid', 'address', 'role'], style: { head: [], border: [] } });
  const statuses = await Promise.all(cluster.nodes.map((node) => node.status()));
  cluster.nodes.forEach(({ clusterId, name, pid, address }, i) => {
    const { role } = statuses[i]!;
    table.push([clusterId, name, pid ?? '-', address, role === 'leader' ? colors.green(role) : role]);
  });
  for (const { name, pid, url } of cluster.gateways) table.push(['', name, pid ?? '-', url, 'gateway']);
  return table.toString();
}

/** Commands to paste: the three of the classic interface, and REST. */
export function curlExamples(url: string): string {
  const classic = (request: string): string => `  curl -X POST ${url}/request -d 'key=mykey&request=${request}'`;
  return [
    'Try it (classic interface):',
    classic('SET|mykey|myvalue'),
    classic('GET|mykey|'),
    classic('DELETE|mykey|'),
    '',
    'REST:',
    `  curl -X PUT ${url}/v1/kv/greeting -H 'Content-Type: text/plain' --data-binary 'hello'`,
    `  curl -i ${url}/v1/kv/greeting`,
    `  curl -X DELETE ${url}/v1/kv/greeting`,
    `  curl ${url}/v1/cluster`,
    '',
    `API description: ${url}/docs`,
  ].join('\n');
}
