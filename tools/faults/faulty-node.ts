/**
 * A raft-node, as `apps/raft-node` starts it, whose log is on a disk that slows down and hangs as it is told to: by files beside its data
 * directory (`faults/disk-orders.ts`). With `FAULTY_NODE_FORGETS` its end is also that of all that was not synced. For tests.
 */
import 'reflect-metadata';
import { VERSION, configOrExit } from '@app/platform';
import { FaultyDisk, ForgetfulDisk } from '@app/storage';
import { RaftNodeConfig } from '../../apps/raft-node/src/raft-node.config.js';
import { startNode } from '../../apps/raft-node/src/start-node.js';
import { FORGETS_VARIABLE, ordersPath, readJson, reportPath, writeJson, type DiskOrders } from './disk-orders.js';

const LOOK_EVERY_MS = 50;

/** The share of sectors that reach the disk though nobody has synced them. */
const LEAKED_SHARE = 0.3;

const config = configOrExit(RaftNodeConfig, {
  name: 'faulty-node',
  describe: 'A raft-node on a bad disk.',
  version: VERSION,
});
void startNode(config, {
  wrapDisk: (disk) => {
    const isForgetful = process.env[FORGETS_VARIABLE] !== undefined;
    const faulty = new FaultyDisk(isForgetful ? new ForgetfulDisk(disk, () => Math.random() < LEAKED_SHARE) : disk);
    let carriedOut = 0;
    const look = (): void => {
      const orders = readJson<DiskOrders>(ordersPath(config.dataDir));
      if (orders === undefined || orders.number === carriedOut) return;
      carriedOut = orders.number;
      obey(faulty, orders);
      const affected = [...faulty.injected.values()].reduce((sum, { delayed, hung }) => sum + delayed + hung, 0);
      writeJson(reportPath(config.dataDir), { number: carriedOut, affected });
    };
    look();
    setInterval(look, LOOK_EVERY_MS).unref();
    return faulty;
  },
});

function obey(disk: FaultyDisk, { delaysMs, hanging }: DiskOrders): void {
  disk.heal();
  for (const [operation, delayMs] of Object.entries(delaysMs)) disk.delay(operation as keyof typeof delaysMs, delayMs);
  for (const operation of hanging) disk.hang(operation);
}
