// One Jest transformer for everything: our TypeScript, and the ESM-only packages
// (Nest 12, cookie, ...) that Jest's CommonJS runtime cannot require() before Node 24.9.
// CommonJS packages pass through untouched.
const { createHash } = require('node:crypto');
const { existsSync, readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const swc = require('@swc/core');

const TS = {
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
  sourceMaps: true,
  swcrc: false,
  configFile: false,
};
const JS = {
  jsc: { target: 'es2022' },
  module: { type: 'commonjs' },
  sourceMaps: false,
  swcrc: false,
  configFile: false,
};

const moduleTypes = new Map();
function isEsmPackage(dir) {
  let type = moduleTypes.get(dir);
  if (type === undefined) {
    const file = join(dir, 'package.json');
    const parent = dirname(dir);
    if (existsSync(file)) type = JSON.parse(readFileSync(file, 'utf8')).type === 'module';
    else type = parent === dir ? false : isEsmPackage(parent);
    moduleTypes.set(dir, type);
  }
  return type;
}

const version = createHash('sha1').update(readFileSync(__filename)).update(swc.version).digest('hex');

module.exports = {
  canInstrument: false,
  getCacheKey(source, file, options) {
    return createHash('sha1')
      .update(version)
      .update('\0')
      .update(file)
      .update('\0')
      .update(source)
      .update(options.instrument ? '1' : '0')
      .digest('hex');
  },
  process(source, file) {
    if (/\.[cm]?ts$/.test(file)) return swc.transformSync(source, { ...TS, filename: file });
    if (file.endsWith('.mjs') || (!file.endsWith('.cjs') && isEsmPackage(dirname(file)))) {
      return swc.transformSync(source, { ...JS, filename: file });
    }
    return { code: source };
  },
};
