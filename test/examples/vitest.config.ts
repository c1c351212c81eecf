import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Apart from `npm test`: it installs packages from the registry.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'examples',
    include: ['test/examples/*.test.ts'],
    globalSetup: ['test/examples/support/install-examples.ts'],
    testTimeout: 120_000,
    hookTimeout: 30_000,
    maxWorkers: '100%',
  },
});
