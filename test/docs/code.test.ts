import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compile } from './compiler.ts';
import type { Block } from './markdown.ts';
import { pages, ROOT } from './markdown.ts';
import { tsdocExamples } from './tsdoc-examples.ts';

/** What a block may take from the one before it, or from the reader. */
const GIVEN = `
import type { CircuitBreakerExporter as Exporter } from 'otel-circuit-breaker';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { OTLPTraceExporter as Otlp } from '@opentelemetry/exporter-trace-otlp-http';
import type { CircuitBreakerExporter as Wrapper } from 'otel-circuit-breaker';
import type { NodeSDK } from '@opentelemetry/sdk-node';
declare global {
  const exporter: Exporter<ReadableSpan[]>;
  const sdk: NodeSDK;
  const OTLPTraceExporter: typeof Otlp;
  const CircuitBreakerExporter: typeof Wrapper;
}
`;

/** Modules that readers have and the repository has not, as far as the blocks use them. */
const MODULES = `
declare module 'express' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
  export default function express(): { all(path: string, handler: Handler): void };
}
declare module '@graphql-hive/plugin-opentelemetry' {
  import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
  // As in 1.5.3.
  interface Configuration { errorThresholdPercentage: number; volumeThreshold: number; resetTimeout: number }
  export const CircuitBreakerExporter: new (exporter: SpanExporter, configuration?: Configuration) => SpanExporter;
}
declare module '@vercel/otel' {
  import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
  // As in 2.1.3.
  export function registerOTel(configuration: { serviceName?: string; traceExporter?: SpanExporter | 'auto' }): void;
}
declare module '@azure/monitor-opentelemetry-exporter' {
  import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
  // As in 1.0.0-beta.47.
  export const AzureMonitorTraceExporter: new (options?: { connectionString?: string }) => SpanExporter;
}
declare module '@honeycombio/opentelemetry-node' {
  import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
  // As in 0.7.2.
  export class HoneycombSDK { constructor(options: { spanProcessors?: SpanProcessor[] }); start(): void }
}
`;

const LANGUAGES = ['ts', 'typescript', 'js', 'javascript', 'mjs'];

function named(blocks: readonly Block[]): Record<string, string> {
  return Object.fromEntries(
    // A block without an import is a module all the same; its lines keep their numbers.
    blocks.map(({ file, line, code }) => [
      `${file.replaceAll(/[/.]/g, '-')}-${line}.mts`,
      `${code}\nexport {};`,
    ]),
  );
}

it('has TypeScript and JavaScript in README, docs and TSDoc that compiles', () => {
  const blocks = pages().flatMap((page) => page.blocks);
  const snippets = named(blocks.filter(({ language }) => LANGUAGES.includes(language)));
  expect(Object.keys(snippets).length).toBeGreaterThan(3);
  for (const { name, code } of tsdocExamples()) {
    snippets[`${name.replaceAll(/[/.:]/g, '-')}.mts`] = `${code}\nexport {};`;
  }
  const bad = {
    'bad.mts': "new CircuitBreakerExporter(new OTLPTraceExporter(), { nmae: 'x' });\nexport {};",
  };
  // Blocks import it as the reader's `./telemetry.mjs`.
  const quickStart = { 'telemetry.mts': readFileSync(`${ROOT}/examples/telemetry.mjs`, 'utf8') };
  const given = { 'given.mts': GIVEN, 'modules.d.ts': MODULES, ...quickStart };
  const complaints = compile({ ...given, ...snippets, ...bad });
  expect(complaints.filter((each) => each.startsWith('bad.mts'))).toHaveLength(1);
  expect(complaints.filter((each) => !each.startsWith('bad.mts'))).toEqual([]);
});

it('has no block without a language', () => {
  const blocks = pages().flatMap((page) => page.blocks);
  expect(blocks.filter(({ language }) => language === '')).toEqual([]);
});
