import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packages } from './sdk.mjs';

const require = createRequire(import.meta.url);

/** The version of the package that an import from here really loads. */
function loadedVersion(name) {
  const entry = require.resolve(name);
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const found = JSON.parse(readFileSync(file, 'utf8'));
    if (found.name === name) return found.version;
  }
  throw new Error(`no package.json of ${name} above ${entry}`);
}

/** What runs in this process. */
export function versions(exporter = packages.exporter) {
  return {
    node: process.versions.node,
    sdk: loadedVersion(packages.sdk),
    api: loadedVersion('@opentelemetry/api'),
    exporter: loadedVersion(exporter),
    library: loadedVersion('otel-circuit-breaker'),
  };
}
