/**
 * A raft-node whose every command has a log entry of its own, for `npm run bench:catch-up`. Everything else is the real node: there all
 * commands of one turn of the event loop share an entry, and the busier it is, the fewer entries it makes.
 */
import { RaftDriver } from '../../apps/raft-node/src/consensus/raft-driver.js';

const proposeAll = Reflect.get(RaftDriver.prototype, 'propose') as (this: RaftDriver) => void;

RaftDriver.prototype['propose'] = function (this: RaftDriver): void {
  const queued = this['queuedWrites'];
  for (const write of queued) {
    this['queuedWrites'] = [write];
    proposeAll.call(this);
  }
};

await import('../../apps/raft-node/src/main.js');
