import { registerDecorator } from 'class-validator';
import { formatHostPort, parseHostPort } from './host-port.js';

/** By host:port, where that is found from here. */
export type AddressMap = Readonly<Record<string, string>>;

const RULE = 'must be host:port=host:port pairs with commas between them, the ports from 1 to 65535';

/** Reads `host:port=host:port,...`. Throws an `Error` that says what is allowed. */
export function parseAddressMap(text: string): AddressMap {
  const pairs = text.split(',').map((part) => {
    const [told = '', found = '', ...more] = part.split('=').map((address) => address.trim());
    const pair = [told, found].map(normalized);
    if (more.length > 0 || pair.includes(undefined)) throw new Error(`${RULE}; "${part.trim()}" is none`);
    return pair as [string, string];
  });
  return Object.fromEntries(pairs);
}

/** The text that `parseAddressMap` reads back. */
export function formatAddressMap(map: AddressMap): string {
  return Object.entries(map)
    .map((pair) => pair.join('='))
    .join(',');
}

function normalized(address: unknown): string | undefined {
  try {
    const { host, port } = parseHostPort(String(address));
    return port === 0 ? undefined : formatHostPort({ host, port });
  } catch {
    return undefined;
  }
}

/** An `AddressMap`, from text or as the mapping of a file. */
export function IsAddressMap(): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name: 'isAddressMap',
      target: target.constructor,
      propertyName: property as string,
      validator: {
        validate: (value: unknown) =>
          typeof value === 'object' &&
          value !== null &&
          !Array.isArray(value) &&
          Object.entries(value).every((pair) => pair.every((address) => normalized(address) === address)),
        defaultMessage: () => `$property ${RULE}`,
      },
    });
  };
}
