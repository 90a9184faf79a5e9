const base = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  transform: { '\\.[cm]?[jt]s$': '<rootDir>/test/support/jest-transformer.cjs' },
  transformIgnorePatterns: [],
  moduleNameMapper: {
    '^@app/([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  coveragePathIgnorePatterns: ['/node_modules/', '/gen/', '/test/', '/testing/'],
};

export default {
  maxWorkers: 2,
  // Generous: a busy machine fails no test. What hangs is still ended.
  testTimeout: 60_000,
  coverageProvider: 'v8',
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/{apps,libs,tools}/**/*.spec.ts'] },
    { ...base, displayName: 'simulation', testMatch: ['<rootDir>/test/simulation/**/*.sim-spec.ts'] },
    { ...base, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.e2e-spec.ts'] },
  ],
};
