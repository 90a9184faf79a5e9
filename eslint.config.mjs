import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import jest from 'eslint-plugin-jest';
import prettier from 'eslint-config-prettier';

export default tseslint.config(
  { ignores: ['dist/**', 'coverage/**', 'data/**', 'libs/rpc/src/gen/**', '**/*.mjs', '**/*.cjs'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      // An `import type` of an injected class erases the token that Nest's injector needs.
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  {
    // The pure libs are functions of their inputs: nothing in them may tell real time from simulated time. The simulator, too, is one of its seed.
    files: ['libs/raft/src/**/*.ts', 'libs/kv/src/**/*.ts', 'libs/placement/src/**/*.ts', 'libs/simulator/src/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/testing/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[
          'setTimeout',
          'setInterval',
          'setImmediate',
          'queueMicrotask',
          'performance',
          'process',
          'Buffer',
          'crypto',
          'Promise',
        ].map((name) => ({ name, message: 'Pure libs have no clock, no chance, no Node: inject it.' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Use the injected seeded Random.' },
        { object: 'Date', property: 'now', message: 'Time is tick() and log time.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"]', message: 'Time is tick() and log time.' },
        {
          selector: ':function[async=true]',
          message: 'Pure libs are synchronous: effects are asked for, not awaited.',
        },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', '**/*.e2e-spec.ts', '**/*.sim-spec.ts'],
    ...jest.configs['flat/recommended'],
    rules: {
      ...jest.configs['flat/recommended'].rules,
      'jest/expect-expect': [
        'error',
        { assertFunctionNames: ['expect', 'expect*', '**.expect*', 'fc.assert', '**.tickUntil'] },
      ],
    },
  },
  prettier,
);
