import type { ChannelOptions } from '@grpc/grpc-js';

/**
 * Bytes of one gRPC message, at most. Far above a frame of `ExecuteStream` with one value of the largest size, far
 * below what would stall an event loop.
 */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Bytes that a sender may have on the way before the reader has taken them. Node's 64 KiB would make a frame with
 * values of a few kilobytes wait for several round trips.
 */
const FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;

const BOTH_SIDES: ChannelOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
};

/**
 * For every gRPC server of ours (with Nest: `options.channelOptions`). A ping after 10 s of silence finds a peer whose
 * machine is gone; without an answer within 3 s the connection is dropped.
 */
export const SERVER_OPTIONS: Readonly<ChannelOptions> = {
  ...BOTH_SIDES,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 3_000,
};

/**
 * For every channel of ours. A lost connection is tried again after 50 ms, then less and less often (with grpc-js's
 * jitter) up to once a second: a node that comes back is found within a second.
 */
export const CLIENT_OPTIONS: Readonly<ChannelOptions> = {
  ...BOTH_SIDES,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // A node that came back under its name with another IP address is found as soon as one that kept it.
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  // Retrying is the caller's business: only it knows whether an operation may be repeated.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  // Nobody here reads it. Not for servers: without it, grpc-js 1.14 forgets its sessions and cannot shut down.
  'grpc.enable_channelz': 0,
};
