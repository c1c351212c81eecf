import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Apart from `npm test`: it measures, if only a little, and wants the machine for itself.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'bench',
    include: ['test/bench/**/*.test.ts'],
    testTimeout: 600_000,
    fileParallelism: false,
  },
});
