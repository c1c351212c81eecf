import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// After `npm run docs:build`: the built site, in a real browser.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'site',
    include: ['test/playground/**/*.test.ts'],
    setupFiles: ['test/seed-fast-check.ts'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
