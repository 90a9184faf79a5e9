import { Module } from '@nestjs/common';
import { StateMachine } from '@app/kv';
import { PeersModule } from '../peers/peers.module.js';
import { KEY_SPACE, StorageModule } from '../storage/storage.module.js';
import { ExpirySweeper } from './expiry-sweeper.js';
import { KeyValueController } from './key-value.controller.js';
import { KeyValueService } from './key-value.service.js';
import { LeaderForwarder } from './leader-forwarder.js';
import { OperationLog } from './operation-log.js';
import { OperationDesk } from './operation-desk.js';
import { openStateMachine } from './state-machine.provider.js';
import { UnaryOperations } from './unary-operations.js';

/** The replicated state machine, and kv.v1.KeyValue for those who use it. */
@Module({
  imports: [StorageModule, PeersModule],
  controllers: [KeyValueController],
  providers: [
    { provide: StateMachine, inject: [KEY_SPACE], useFactory: openStateMachine },
    OperationDesk,
    KeyValueService,
    UnaryOperations,
    LeaderForwarder,
    OperationLog,
    ExpirySweeper,
  ],
  exports: [StateMachine, OperationDesk],
})
export class FsmModule {}
