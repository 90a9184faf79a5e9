import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Channels } from '@app/rpc';
import { RaftNodeConfig } from '../raft-node.config.js';
import { StorageModule } from '../storage/storage.module.js';
import { PeerDirectory } from './peer-directory.js';
import { PeerInbox } from './peer-inbox.js';

/** The other members: where they are, the connections to them, and what they send. */
@Module({
  imports: [StorageModule],
  providers: [
    PeerDirectory,
    PeerInbox,
    {
      provide: Channels,
      inject: [RaftNodeConfig, PeerDirectory],
      useFactory: ({ reroutes }: RaftNodeConfig, directory: PeerDirectory) => {
        const channels = new Channels({ reroutes });
        directory.onVacated((address) => channels.forget(address));
        return channels;
      },
    },
  ],
  exports: [PeerDirectory, PeerInbox, Channels],
})
export class PeersModule implements OnApplicationShutdown {
  constructor(@Inject(Channels) private readonly channels: Channels) {}

  onApplicationShutdown(): void {
    this.channels.close();
  }
}
