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
    registry: 'src/adapters/registry.ts',
    attach: 'src/attach/index.ts',
    disk: 'src/disk/index.ts',
    'otel-circuit-breaker-spool': 'src/disk/tool/main.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  // Only `attach` and `disk` import built-ins; a test holds that.
  external: [/^node:/],
  removeNodeProtocol: false,
  esbuildOptions(options, { format }) {
    // `attach` knows its own copy by its place; `import.meta` is a syntax error in CommonJS.
    if (format === 'cjs') options.define = { ...options.define, 'import.meta.url': '__filename' };
  },
  // In CommonJS too: without shared chunks each entry would hold its own copy of every class.
  splitting: true,
  treeshake: true,
  dts: true,
  clean: true,
});
