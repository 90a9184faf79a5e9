// Stands in for main.js of both apps: the same environment, the same endpoints, no Raft. Which way it misbehaves is
// said by variables that name the process: DUMMY_EXITS, DUMMY_NEVER_READY, DUMMY_IGNORES_SIGTERM,
// DUMMY_STOPS_WITH_ERROR. Runs as CommonJS and as an ES module, because it takes the place of either.
const { createServer } = process.getBuiltinModule('node:http');

const env = process.env;
const name = env.RINGRAFT_NODE_ID ?? 'gateway';
const misbehaves = (how) => (env[`DUMMY_${how}`] ?? '').split(',').includes(name);
const isLeader = name.endsWith('-n2');

console.log(`${name} starts`);
if (misbehaves('EXITS')) {
  console.log(`${name} cannot go on`);
  process.exit(7);
}

process.on('SIGTERM', () => {
  if (misbehaves('IGNORES_SIGTERM')) return;
  console.log(`${name} stops`);
  process.exit(misbehaves('STOPS_WITH_ERROR') ? 9 : 0);
});
if (env.RINGRAFT_EXIT_WITH_PARENT === 'true') {
  process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM'));
  process.stdin.resume();
}

const [host, port] = (env.RINGRAFT_OPS_LISTEN ?? env.RINGRAFT_LISTEN).split(':');
createServer((request, response) => {
  if (request.url === '/metrics') {
    response.end(
      `# HELP ringraft_is_leader x\nringraft_is_leader{node="${name}"} ${isLeader ? 1 : 0}\nringraft_has_leader 1\nringraft_term{node="${name}"} 4\n`,
    );
  } else if (misbehaves('NEVER_READY')) {
    response.writeHead(503).end('[-]leader failed: no leader is known\nreadyz check failed\n');
  } else {
    response.end('ok');
  }
}).listen(Number(port), host);
