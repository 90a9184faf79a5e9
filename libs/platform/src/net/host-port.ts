import { isIP, isIPv6 } from 'node:net';
import { registerDecorator, type ValidationOptions } from 'class-validator';

export interface HostPort {
  /** A host name, an IPv4 address, or an IPv6 address without its brackets. */
  readonly host: string;
  /** 0 to 65535; 0 asks the system for a free port and is allowed only where somebody listens. */
  readonly port: number;
}

/** What an address looks like, for messages. */
const RULE = 'host:port, an IPv6 host in brackets ([::1]:7001)';

/**
 * Reads `host:port`: a host name, an IPv4 address or an IPv6 address in brackets, then a decimal port.
 * Throws an `Error` that says what is allowed.
 */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const bracketed = match?.[1];
  const plain = match?.[2];
  const port = Number(match?.[3]);
  const isHost = bracketed !== undefined ? isIPv6(bracketed) : plain !== undefined && isHostName(plain);
  if (!isHost || port > 65535) throw new Error(`must be ${RULE}, the port from 0 to 65535`);
  return { host: bracketed ?? plain!, port };
}

/** The text that `parseHostPort` reads back to the same address. */
export function formatHostPort({ host, port }: HostPort): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** RFC 1123 names; what consists of digits and dots only must be a true IPv4 address. */
function isHostName(host: string): boolean {
  if (/^[0-9.]+$/.test(host)) return isIP(host) === 4;
  return host.length <= 253 && host.split('.').every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
}

/** A `host:port` that somebody listens on: port 0 takes any free one. */
export function IsListenAddress(options?: ValidationOptions): PropertyDecorator {
  return hostPortDecorator('isListenAddress', 0, options);
}

/** A `host:port` that somebody connects to: the port is 1 to 65535. */
export function IsHostPort(options?: ValidationOptions): PropertyDecorator {
  return hostPortDecorator('isHostPort', 1, options);
}

function hostPortDecorator(name: string, portMin: number, options?: ValidationOptions): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: property as string,
      ...(options && { options }),
      validator: {
        validate: (value: unknown) => {
          try {
            return typeof value === 'string' && parseHostPort(value).port >= portMin;
          } catch {
            return false;
          }
        },
        defaultMessage: () => `$property must be ${RULE}, the port from ${portMin} to 65535`,
      },
    });
  };
}
