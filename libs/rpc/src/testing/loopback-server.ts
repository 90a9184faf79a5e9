import { Server, ServerCredentials } from '@grpc/grpc-js';
import { SERVER_OPTIONS } from '../channel-options.js';

export interface LoopbackServer {
  readonly address: string;
  readonly port: number;
  /** Drops all connections at once, as the death of the process would. */
  kill(): void;
}

/** A real gRPC server on 127.0.0.1, on a free port unless one is given. */
export async function startLoopbackServer(addServices: (server: Server) => void, port = 0): Promise<LoopbackServer> {
  const server = new Server(SERVER_OPTIONS);
  addServices(server);
  const boundPort = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${boundPort}`, port: boundPort, kill: () => server.forceShutdown() };
}

/** A port of 127.0.0.1 on which nothing listens. */
export async function unusedPort(): Promise<number> {
  const server = await startLoopbackServer(() => undefined);
  server.kill();
  return server.port;
}

/** Waits until `condition` holds, looking again in every turn of the event loop. Jest's timeout bounds the wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
