import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts', 'test/admin/global-setup.ts'],
    reporters: [['default', { summary: false }], './scripts/reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What a page shows comes when it comes.
    expect: { poll: { timeout: 15_000 } },
    // Two cores: more workers only take turns.
    maxWorkers: 2,
  },
})
