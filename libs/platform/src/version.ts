/** The version of this build; the same as in `package.json`, which a bundled process cannot read. */
export const VERSION = '0.1.0';
