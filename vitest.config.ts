import type { TestProjectConfiguration } from 'vitest/config';
import { defineConfig } from 'vitest/config';

// Time-outs are for tests that hang: a machine that is busy otherwise must not fail one.
const unit = {
  extends: true,
  test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000 },
} satisfies TestProjectConfiguration;

const property = {
  extends: true,
  test: { name: 'property', include: ['test/property/**/*.test.ts'], testTimeout: 600_000 },
} satisfies TestProjectConfiguration;

// Real processes and real sockets: one file at a time, after everything else.
const integration = {
  extends: true,
  test: {
    name: 'integration',
    include: ['test/integration/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    sequence: { groupOrder: 1 },
  },
} satisfies TestProjectConfiguration;

const mutating = process.env['STRYKER_MUTATOR_WORKER'] !== undefined;

export default defineConfig({
  test: {
    setupFiles: ['test/seed-fast-check.ts'],
    projects: mutating ? [unit, property] : [unit, property, integration],
    // The default leaves one core free: on two cores, one file at a time.
    maxWorkers: '100%',
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text', 'text-summary', 'html'],
      thresholds: {
        'src/{adapters,attach,breaker,delivery,exporter,internal,testing}/**/*.ts': {
          lines: 98,
          branches: 98,
        },
        // Real disks, processes and the command line are tested in processes of their own, which are not counted here.
        'src/disk/**/*.ts': { lines: 95, branches: 90 },
      },
    },
  },
});
