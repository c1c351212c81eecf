import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Apart from the other examples: two builds of Next.js take minutes.
export default defineConfig({
  root: fileURLToPath(new URL('../../..', import.meta.url)),
  test: {
    name: 'nextjs',
    include: ['test/examples/nextjs/*.test.ts'],
    globalSetup: ['test/examples/nextjs/install-nextjs.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
