// For a container's health check: whether the process beside it answers 200 on /livez, or on the path that is given. Its address is taken from the
// same variables that the process reads, its own first: a node has RINGRAFT_OPS_LISTEN, a gateway RINGRAFT_LISTEN.
const path = process.argv[2] ?? '/livez';
const listen = process.env.RINGRAFT_OPS_LISTEN ?? process.env.RINGRAFT_LISTEN ?? '127.0.0.1:7101';
const [, host, port] = /^(.*):(\d+)$/.exec(listen) ?? [];
const target = host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host;
try {
  const answer = await fetch(`http://${target}:${port}${path}`, { signal: AbortSignal.timeout(2_500) });
  if (!answer.ok) console.error(await answer.text());
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  console.error(`${path} at ${target}:${port}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
