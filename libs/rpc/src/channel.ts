import {
  Channel as GrpcChannel,
  connectivityState,
  credentials,
  type ChannelCredentials,
  type ChannelOptions,
  type Client,
  type ClientOptions,
} from '@grpc/grpc-js';
import { CLIENT_OPTIONS } from './channel-options.js';

type ClientConstructor<T extends Client> = new (
  address: string,
  credentials: ChannelCredentials,
  options?: Partial<ClientOptions>,
) => T;

export interface ChannelSettings {
  /** Default: plaintext. */
  readonly credentials?: ChannelCredentials;
  /** Added to CLIENT_OPTIONS. */
  readonly options?: ChannelOptions;
  /** By host:port, where that is really found. An address that is not there is found as it is. */
  readonly reroutes?: Readonly<Record<string, string>>;
}

/** One connection to one node, shared by the clients of all its services. Connects when first used. */
export class Channel {
  private readonly channel: GrpcChannel;
  private readonly clients = new Map<ClientConstructor<Client>, Client>();

  constructor(
    /** host:port of the node's gRPC server. */
    readonly address: string,
    settings: ChannelSettings = {},
  ) {
    const target = settings.reroutes?.[address] ?? address;
    this.channel = new GrpcChannel(target, settings.credentials ?? credentials.createInsecure(), {
      ...CLIENT_OPTIONS,
      ...settings.options,
    });
  }

  /** The client of one service on this connection: `channel.client(MembershipClient)`. */
  client<T extends Client>(Constructor: ClientConstructor<T>): T {
    let client = this.clients.get(Constructor);
    if (client === undefined) {
      client = new Constructor(this.address, credentials.createInsecure(), { channelOverride: this.channel });
      this.clients.set(Constructor, client);
    }
    return client as T;
  }

  /**
   * Connects if need be and calls back once: `true` as soon as there is a connection, `false` when an attempt has
   * failed, when there is none after `timeoutMs`, or when the channel was closed.
   */
  whenConnected(timeoutMs: number, done: (isConnected: boolean) => void): void {
    this.awaitReady(Date.now() + timeoutMs, done);
  }

  /** Ends the connection; calls in flight fail. */
  close(): void {
    this.channel.close();
  }

  private awaitReady(deadlineMs: number, done: (isConnected: boolean) => void): void {
    let state: connectivityState;
    try {
      state = this.channel.getConnectivityState(true);
    } catch {
      state = connectivityState.SHUTDOWN;
    }
    switch (state) {
      case connectivityState.READY:
        return done(true);
      case connectivityState.TRANSIENT_FAILURE:
      case connectivityState.SHUTDOWN:
        return done(false);
      default:
        this.channel.watchConnectivityState(state, deadlineMs, (error) =>
          error ? done(false) : this.awaitReady(deadlineMs, done),
        );
    }
  }
}

/** The channels of a process: one for each address, for as long as the process uses it. */
export class Channels {
  private readonly byAddress = new Map<string, Channel>();

  constructor(private readonly settings: ChannelSettings = {}) {}

  /** The one channel to `address` (host:port). */
  channelTo(address: string): Channel {
    let channel = this.byAddress.get(address);
    if (channel === undefined) {
      channel = new Channel(address, this.settings);
      this.byAddress.set(address, channel);
    }
    return channel;
  }

  /** One that is not shared; who asks for it closes it. */
  ownChannelTo(address: string, options: ChannelOptions): Channel {
    return new Channel(address, { ...this.settings, options: { ...this.settings.options, ...options } });
  }

  /** Closes the one to an address that nobody uses any more. */
  forget(address: string): void {
    this.byAddress.get(address)?.close();
    this.byAddress.delete(address);
  }

  /** Closes all of them. */
  close(): void {
    for (const channel of this.byAddress.values()) channel.close();
    this.byAddress.clear();
  }
}
