const { availableParallelism } = require('node:os')

/** Tests import the TypeScript sources; what forks or loads the addon runs the built `dist/` in a process of its own. */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/support/leaky/'],
  modulePathIgnorePatterns: [
    '<rootDir>/dist',
    '<rootDir>/build',
    '<rootDir>/test/apps/node_modules',
    '<rootDir>/test/apps/next',
    '<rootDir>/test/mold/libraries/',
  ],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  reporters: ['default', '<rootDir>/test/support/summary-reporter.js'],
  // Tests wait more than they compute: for processes, timers and each other.
  maxWorkers: (process.env.CI ? 2 : 1) * availableParallelism(),
  testTimeout: 180_000,
}
