import { Command } from 'commander';
import type { CommandContext } from '../context.js';
import { EXIT } from '../exit-code.js';
import { endpointText, parseChecks, type EndpointView } from './endpoint-health.js';

/** Whoever takes longer is not well. */
const HEALTH_TIMEOUT_MS = 1_500;

/** `ringctl endpoint` */
export function endpointCommand(context: CommandContext): Command {
  const command = new Command('endpoint').description('Asks each endpoint by itself.');
  command
    .command('health')
    .description('Says which gateways (with --node: which nodes) are ready for work. Exit code 4 unless all are.')
    .action(() => health(context));
  return command;
}

async function health(context: CommandContext): Promise<void> {
  const timeoutMs = Math.min(context.timeoutMs, HEALTH_TIMEOUT_MS);
  const { nodeAddresses, endpoints } = context;
  const views = await Promise.all(
    nodeAddresses === undefined
      ? endpoints.map((endpoint) => healthOf(endpoint, () => askGateway(context, endpoint, timeoutMs)))
      : nodeAddresses.map((address) => healthOf(address, () => askNode(context, address, timeoutMs))),
  );
  if (!views.every(({ healthy }) => healthy)) context.exitCode = EXIT.UNAVAILABLE;
  if (context.isJson) context.printJson(views);
  else context.print(endpointText(views, context.colorsFor(context.io.stdout)));
}

type Answer = Pick<EndpointView, 'healthy' | 'checks'>;

async function healthOf(endpoint: string, ask: () => Promise<Answer>): Promise<EndpointView> {
  const beganAt = performance.now();
  const tookMs = (): number => Math.round(performance.now() - beganAt);
  try {
    const { healthy, checks } = await ask();
    return { endpoint, healthy, took_ms: tookMs(), checks, failure: null };
  } catch (error) {
    return { endpoint, healthy: false, took_ms: tookMs(), checks: [], failure: reasonOf(error) };
  }
}

async function askGateway(context: CommandContext, endpoint: string, timeoutMs: number): Promise<Answer> {
  const { status, body } = await context.gateway.ask(endpoint, '/readyz?verbose', timeoutMs);
  const checks = parseChecks(body.toString());
  if (checks.length === 0) throw new Error(`HTTP ${status}, and not as a gateway answers /readyz`);
  return { healthy: status === 200, checks };
}

async function askNode(context: CommandContext, address: string, timeoutMs: number): Promise<Answer> {
  const { unhealthyReasons } = await (await context.nodes()).status(address, timeoutMs);
  const checks = unhealthyReasons.map((line) => {
    const at = line.indexOf(': ');
    return { name: line.slice(0, Math.max(0, at)), ok: false, reason: line.slice(at < 0 ? 0 : at + 2) };
  });
  return { healthy: checks.length === 0, checks };
}

function reasonOf(error: unknown): string {
  const { detail, message } = error as Error & { readonly detail?: string };
  return detail ?? message;
}
