import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The modules of one line of the SDK; their types differ from line to line. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type Module = any;

/** A line of the OpenTelemetry SDK, as an app has it installed. */
export interface SdkLine {
  readonly version: string;
  readonly api: Module;
  readonly core: Module;
  readonly resources: Module;
  readonly trace: Module;
  readonly logs: Module;
  readonly metrics: Module;
  readonly otlp: Module;
}

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');

/**
 * The lines to test with: the development dependencies, and the apps whose folders `SDK_APPS` names, separated by
 * commas. `node test/disk/run.ts` installs those of 1.30 and 3.1.
 */
export const sdkLines: readonly SdkLine[] = [ROOT, ...(process.env['SDK_APPS']?.split(',') ?? [])].map(load);

function load(folder: string): SdkLine {
  const here = createRequire(join(folder, 'package.json'));
  // The SDK's own dependencies are not the app's: pnpm and the like would hide them.
  const otlpExporter = createRequire(here.resolve('@opentelemetry/exporter-trace-otlp-http'));
  const metrics = createRequire(here.resolve('@opentelemetry/sdk-metrics'));
  const { version } = JSON.parse(
    readFileSync(join(folder, 'node_modules/@opentelemetry/core/package.json'), 'utf8'),
  ) as { version: string };
  return {
    version,
    api: here('@opentelemetry/api'),
    core: here('@opentelemetry/core'),
    resources: metrics('@opentelemetry/resources'),
    trace: here(version.startsWith('3.') ? '@opentelemetry/sdk-trace' : '@opentelemetry/sdk-trace-base'),
    logs: here('@opentelemetry/sdk-logs'),
    metrics: here('@opentelemetry/sdk-metrics'),
    otlp: otlpExporter('@opentelemetry/otlp-transformer'),
  };
}

/** The OTLP that a line's exporters send for a batch: protobuf and JSON. */
export function otlpOf(line: SdkLine, signal: 'spans' | 'logs' | 'metrics', batch: unknown) {
  const name = { spans: 'Trace', logs: 'Logs', metrics: 'Metrics' }[signal];
  return {
    protobuf: Buffer.from(line.otlp[`Protobuf${name}Serializer`].serializeRequest(batch)).toString('hex'),
    json: Buffer.from(line.otlp[`Json${name}Serializer`].serializeRequest(batch)).toString(),
  };
}
