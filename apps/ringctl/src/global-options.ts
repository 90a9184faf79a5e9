import { Command, InvalidArgumentError, Option } from 'commander';

export interface GlobalOptions {
  readonly endpoint: readonly string[];
  readonly node?: readonly string[];
  readonly output: 'table' | 'json';
  /** Milliseconds. */
  readonly timeout: number;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DAY_MS = 86_400_000;

/** The options of every command; they may stand before or behind its name. */
export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(
      new Option('-e, --endpoint <url,...>', 'gateways; the next one is asked when one does not answer')
        .env('RINGRAFT_ENDPOINT')
        .argParser(parseEndpoints)
        .default(['http://127.0.0.1:8080'], 'http://127.0.0.1:8080'),
    )
    .addOption(
      new Option(
        '-n, --node <host:port,...>',
        'ask nodes (their gRPC servers) instead of a gateway, where that is possible',
      ).argParser(parseAddresses),
    )
    .addOption(
      new Option('-o, --output <format>', 'for people or for scripts').choices(['table', 'json']).default('table'),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to try, in ms, s, m or h')
        .argParser(parseDuration)
        .default(10_000, '10s'),
    );
}

/** `1500ms`, `30s`, `5m`, `1h` in milliseconds: above 0, at most a day. */
export function parseDuration(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Math.round(Number(count) * (UNIT_MS[unit] ?? 0));
  if (ms <= 0 || ms > DAY_MS)
    throw new InvalidArgumentError('It must be a duration such as 500ms, 30s, 5m or 1h, at most 24h.');
  return ms;
}

/** A parser of whole numbers from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** `host:port`, with an IPv6 host in brackets. */
export function parseAddress(text: string): string {
  const { hostname, port } = URL.canParse(`tcp://${text}`) ? new URL(`tcp://${text}`) : { hostname: '', port: '' };
  if (hostname === '' || port === '' || port === '0' || text.toLowerCase() !== `${hostname}:${port}`) {
    throw new InvalidArgumentError('It must be host:port, an IPv6 host in brackets ([::1]:7001).');
  }
  return text;
}

function parseAddresses(text: string): string[] {
  return listOf(text).map(parseAddress);
}

function parseEndpoints(text: string): string[] {
  return listOf(text).map((part) => {
    const url = part.includes('://') ? part : `http://${part}`;
    if (!isEndpoint(url)) {
      throw new InvalidArgumentError(`"${part}" is no URL of a gateway, such as http://127.0.0.1:8080.`);
    }
    return url.replace(/\/$/, '');
  });
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash, username, password } = new URL(text);
  return (
    /^https?:$/.test(protocol) && hostname !== '' && [search, hash, username, password].every((part) => part === '')
  );
}

function listOf(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => part === '')) throw new InvalidArgumentError('It must be a list with commas between.');
  return parts;
}
