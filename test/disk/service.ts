/**
 * A service whose spans are kept on disk. Tells of itself on its standard output, each line written before anything else
 * can happen: `accepted 5 9` for spans 5 to 9, `refused 10 14`, `log …` for a line of `diag`, and `state {…}` when it is
 * asked to.
 */
import { writeSync } from 'node:fs';
import type { DiagLogger } from '@opentelemetry/api';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { diskStore } from '../../src/disk/index.ts';
import { afterCooldown, CircuitBreakerExporter } from '../../src/index.ts';
import { numberedSpans } from '../support/numbered-spans.ts';
import type { ServiceOptions } from './service-options.ts';
import { OPTIONS_VARIABLE } from './service-options.ts';

const options: ServiceOptions = JSON.parse(process.env[OPTIONS_VARIABLE] ?? '{}');
// What is taken over is sent without the random wait.
Math.random = () => 0;

const tell = (line: string): void => void writeSync(1, `${line}\n`);
const at =
  (level: string) =>
  (message: string, ...more: unknown[]): void =>
    tell(`log ${level} ${[message, ...more].map(String).join(' ').replaceAll('\n', ' ')}`);
const logger = { error: at('error'), warn: at('warn'), info: at('info'), debug: () => {}, verbose: () => {} };
diag.setLogger(logger as DiagLogger, { logLevel: DiagLogLevel.INFO });

const { directory, sync, maxBytes, handOverMillis, name = 'traces' } = options;
const exporter = new CircuitBreakerExporter(new OTLPTraceExporter({ url: options.url }), {
  name,
  probePolicy: afterCooldown(100),
  retention: {
    store: diskStore({ directory, sync, maxBytes }),
    pace: Number.POSITIVE_INFINITY,
    idleMillis: 100,
    maxAttempts: 1_000,
    handOverMillis,
  },
});

let next = options.firstSpan;
function exportBatch(): void {
  const first = next;
  next += options.batchSize;
  const last = next - 1;
  exporter.export(numberedSpans(first, options.batchSize, { route: '/things/:id' }), ({ code }) => {
    tell(`${code === 0 ? 'accepted' : 'refused'} ${first} ${last}`);
    // For a cluster's primary process.
    process.send?.('working');
  });
}
if (options.batchSize > 0) {
  const making = setInterval(exportBatch, options.everyMillis);
  process.on('SIGHUP', () => clearInterval(making));
}

process.on('SIGUSR2', () => tell(`state ${JSON.stringify(exporter.snapshot().delivery)}`));
process.once('SIGTERM', async () => {
  await exporter.shutdown();
  tell(`ended ${JSON.stringify(exporter.snapshot().delivery)}`);
  process.exit(0);
});
// Keeps the process alive, and ends it with whoever has started it.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(0);
}, 250);
tell('ready');
