import { connect } from 'node:net';

const ANSWER_TIMEOUT_MS = 2_000;

/**
 * Sends bytes over a TCP connection of its own and waits until the server closes it or has been silent for a while.
 * Gives what the server sent. A connection that the server resets is as good as closed: this never rejects.
 */
export function sendRaw(hostPort: string, bytes: Uint8Array, silenceMs = ANSWER_TIMEOUT_MS): Promise<Buffer> {
  const [host, port] = hostPort.split(':');
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect(Number(port), host);
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on('data', (part) => received.push(part));
    socket.on('end', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(received)));
    socket.write(bytes);
  });
}
