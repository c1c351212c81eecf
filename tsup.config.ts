import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    health: 'src/adapters/health.ts',
    prometheus: 'src/adapters/prometheus.ts',
    http: 'src/adapters/http.ts',
    metrics: 'src/adapters/metrics.ts',
    logging: 'src/adapters/logging.ts',
    env: 'src/adapters/env.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'es2022',
  // No entry may need Node: a built-in imported by value does not resolve here, and the build fails.
  platform: 'neutral',
  removeNodeProtocol: false,
  // In CommonJS too: without shared chunks each entry would hold its own copy of every class.
  splitting: true,
  treeshake: true,
  dts: true,
  clean: true,
});
