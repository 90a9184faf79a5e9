import { Metadata, type CallOptions, type ClientUnaryCall, type ServiceError } from '@grpc/grpc-js';
import { RingraftError, fromServiceError, type Channel } from '@app/rpc';

export type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/**
 * One call to one node. Rejects with a `RingraftError`: NODE_UNREACHABLE, surely without effect, when there is no connection within
 * `timeoutMs`; what the node says; OUTCOME_UNKNOWN when it does not answer.
 */
export async function callNode<Request, Response>(
  channel: Channel,
  method: UnaryMethod<Request, Response>,
  request: Request,
  timeoutMs: number,
): Promise<Response> {
  const deadline = Date.now() + timeoutMs;
  await connected(channel, timeoutMs);
  return new Promise((resolve, reject) => {
    method(request, new Metadata(), { deadline }, (error, response) =>
      error ? reject(fromServiceError(error)) : resolve(response),
    );
  });
}

/** Rejects with NODE_UNREACHABLE. */
export async function connected(channel: Channel, timeoutMs: number): Promise<void> {
  const isConnected = await new Promise<boolean>((resolve) => channel.whenConnected(timeoutMs, resolve));
  if (!isConnected) throw new RingraftError('NODE_UNREACHABLE', `there is no connection to ${channel.address}`);
}
