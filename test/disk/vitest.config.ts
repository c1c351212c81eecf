import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Apart from `npm test`: real processes that are killed, stopped and started again. DISK_LONG=1 for the long form.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    name: 'disk',
    include: ['test/disk/**/*.test.ts'],
    testTimeout: 900_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    // Ends what it has started, whatever becomes of this run.
    teardownTimeout: 10_000,
  },
});
