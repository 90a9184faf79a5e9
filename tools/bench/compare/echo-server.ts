/**
 * The least that an HTTP server in Node can do, to compare with: answers a body with the same body, and `GET /bytes/N` with
 * N bytes. PORT is its port.
 */
import { createServer } from 'node:http';

const bodies = new Map<string, Buffer>();

function bodyFor(path: string): Buffer {
  let body = bodies.get(path);
  if (!body) bodies.set(path, (body = Buffer.alloc(Number(path.split('/').at(-1)), 'x')));
  return body;
}

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    const body = bodyFor(request.url!);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length }).end(body);
    return;
  }
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': body.length }).end(body);
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
