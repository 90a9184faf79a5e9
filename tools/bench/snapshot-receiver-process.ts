/** The receiving process of `npm run bench:snapshots`: takes states, installs them, and reports how long its event loop was held. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { SERVER_OPTIONS, SnapshotsService } from '@app/rpc';
import { NodeCondition } from '../../apps/raft-node/src/condition/node-condition.js';
import { PeerInbox } from '../../apps/raft-node/src/peers/peer-inbox.js';
import type { ReceivingCall } from '../../apps/raft-node/src/snapshots/receiving-stream.js';
import { SnapshotReceiver } from '../../apps/raft-node/src/snapshots/snapshot-receiver.js';
import { benchNode, describedAt, measurePauses, openState, type Pauses } from './snapshot-node.js';

/** One of them in each message. */
export interface ReceiverReport {
  readonly port: number;
  /** The index of the state that is in use now. */
  readonly installed: number;
  readonly pauses: Pauses;
}

const report = (what: Partial<ReceiverReport>) => process.send?.(what);

const store = await openState(process.argv[2]!);
const { directory, metrics, log } = benchNode('receiver', 'unused:1', 1);
const inbox = new PeerInbox();
inbox.readBy({
  received: () => undefined,
  unreachable: () => undefined,
  disconnected: () => undefined,
  snapshotReceived: ({ message, staged, release }) => {
    const { index } = message.snapshot;
    void store.install(staged, describedAt(index)).then(() => {
      release();
      report({ installed: index });
    });
  },
});
const receiver = new SnapshotReceiver(store, directory, inbox, metrics, new NodeCondition(), log);
const server = new Server(SERVER_OPTIONS);
server.addService(SnapshotsService, { installSnapshot: (call: ReceivingCall) => void receiver.serve(call) });
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  report({ port });
});

let pauses = measurePauses();
process.on('message', (message) => {
  if (message === 'measure') pauses = measurePauses();
  else report({ pauses: pauses() });
});
process.on('disconnect', () => process.exit());
