import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/**
 * Below the range from which systems take ports for outgoing connections (Linux: 32768, others: 49152), so that the
 * port of a node that was killed is still there when it starts again.
 */
const FREE_PORT_MIN = 10_000;
const FREE_PORT_MAX = 32_000;
const TRIES_MAX = 1_000;

/** Whether somebody listens on the port of 127.0.0.1, or it may not be listened on. */
export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen({ host: HOST, port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}

/**
 * Different ports that were free a moment ago. Nothing reserves them: whoever starts a server on one must be ready to
 * find it taken and to ask again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries === TRIES_MAX) throw new Error(`found only ${found.size} of ${count} free ports in ${TRIES_MAX} tries`);
    const port = FREE_PORT_MIN + Math.floor(Math.random() * (FREE_PORT_MAX - FREE_PORT_MIN));
    if (!found.has(port) && !(await isPortTaken(port))) found.add(port);
  }
  return [...found];
}
