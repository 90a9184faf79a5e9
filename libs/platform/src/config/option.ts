import 'reflect-metadata';

/** What the help says about a field, and how its text becomes a value. */
export interface OptionMeta {
  /** The meaning, as a sentence without its full stop. */
  readonly describe: string;
  /** What a number counts (`ms`, `bytes`) or what a text looks like (`host:port`). */
  readonly unit?: string;
  /** Who must have the same value, where that matters: `all nodes of a cluster`. */
  readonly agree?: string;
  /** May stay without a value; the field is then undefined. */
  readonly optional?: boolean;
  /**
   * Reads the text of a flag, of a variable or of the file, for fields that are no text, number or boolean. Throws an
   * `Error` whose message says what is allowed (`must be ...`). What the file gives in another form than text is taken
   * as it is.
   */
  readonly parse?: (text: string) => unknown;
  /** Prints a default for the help, the inverse of `parse`. */
  readonly format?: (value: never) => string;
}

export interface OptionOf extends OptionMeta {
  /** The field: `dataDir`. It is also the key in the file. */
  readonly field: string;
  /** `--data-dir` */
  readonly flag: string;
  /** `RINGRAFT_DATA_DIR` */
  readonly variable: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'parsed';
  /** What the class starts with; undefined when a value must be given. */
  readonly defaultValue: unknown;
}

const OPTIONS = Symbol('ringraft:options');

/**
 * Makes a field of a config class settable: by flag (`--kebab-case`), environment (`RINGRAFT_UPPER_SNAKE`) and file.
 * Its default is the initial value that the class gives it. A field without one must be given unless `optional`.
 */
export function Option(meta: OptionMeta): PropertyDecorator {
  return (prototype, field) => {
    const own = (Reflect.getOwnMetadata(OPTIONS, prototype) ?? new Map()) as Map<string, OptionMeta>;
    own.set(field as string, meta);
    Reflect.defineMetadata(OPTIONS, own, prototype);
  };
}

/** The options of a class in the order of its fields, those of its base classes last. */
export function optionsOf(ConfigClass: new () => object): OptionOf[] {
  const defaults = new ConfigClass() as Record<string, unknown>;
  const metas = new Map<string, OptionMeta>();
  for (
    let prototype = ConfigClass.prototype as object;
    prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype) as object
  ) {
    const own = Reflect.getOwnMetadata(OPTIONS, prototype) as Map<string, OptionMeta> | undefined;
    own?.forEach((meta, field) => metas.has(field) || metas.set(field, meta));
  }
  return [...metas].map(([field, meta]) => {
    const words = field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return {
      ...meta,
      field,
      flag: `--${words}`,
      variable: `RINGRAFT_${words.replaceAll('-', '_').toUpperCase()}`,
      kind: meta.parse ? 'parsed' : kindOf(ConfigClass, field, defaults[field]),
      defaultValue: defaults[field],
    };
  });
}

function kindOf(ConfigClass: new () => object, field: string, defaultValue: unknown): 'text' | 'number' | 'boolean' {
  const declared = Reflect.getMetadata('design:type', ConfigClass.prototype as object, field) as unknown;
  if (typeof defaultValue === 'string' || declared === String) return 'text';
  if (typeof defaultValue === 'number' || declared === Number) return 'number';
  if (typeof defaultValue === 'boolean' || declared === Boolean) return 'boolean';
  throw new TypeError(`${ConfigClass.name}.${field} is no text, number or boolean: its @Option needs a parse`);
}
