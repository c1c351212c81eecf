import type { ExporterLike } from '../delivery/exporter-contract.ts';
import { registeredApi, registeredLogs } from './registered-api.ts';

/*
 * The only file that knows private fields of the SDK. Where each was seen, in the order provider -> processor or reader:
 *
 * | field                                        | sdk 1.30.1, logs 0.57.2        | sdk 2.12, logs 0.223            | sdk 3.1                       |
 * | -------------------------------------------- | ------------------------------ | ------------------------------- | ----------------------------- |
 * | ProxyTracerProvider `_delegate`              | api 1.9.1 :38                  | api 1.9.1 :38                   | api 1.10.0 .cjs:31            |
 * | ProxyLoggerProvider `_delegate`              | -                              | -                               | api 1.10.0 .cjs:23            |
 * | tracer provider `activeSpanProcessor`        | BasicTracerProvider.js:53      | -                               | -                             |
 * | the same, `_activeSpanProcessor`             | -                              | TracerProvider.js:36            | TracerProvider.cjs:21         |
 * | the same, `_registeredSpanProcessors`        | BasicTracerProvider.js:41      | -                               | -                             |
 * | MultiSpanProcessor `_spanProcessors`         | :26                            | :16                             | .cjs:10                       |
 * | Batch, SimpleSpanProcessor `_exporter`       | BatchSpanProcessorBase.js:27   | BatchSpanProcessorBase.js:29    | BatchSpanProcessorBase.cjs:23 |
 * | logger provider `_sharedState`               | LoggerProvider.js:39           | LoggerProvider.js:31            | LoggerProvider.cjs:23         |
 * | its `activeProcessor`, `processors`          | LoggerProviderSharedState.js:27 | LoggerProviderSharedState.js:44 | LoggerProviderSharedState.cjs:34 |
 * | MultiLogRecordProcessor `processors`         | :26                            | :16                             | .cjs:10                       |
 * | Batch, SimpleLogRecordProcessor `_exporter`  | BatchLogRecordProcessorBase.js:24 | BatchLogRecordProcessorBase.js:102 | BatchLogRecordProcessorBase.cjs:79 |
 * | meter provider `_sharedState`                | MeterProvider.js:41            | MeterProvider.js:21             | MeterProvider.cjs:15          |
 * | its `metricCollectors`                       | MeterProviderSharedState.js:29 | MeterProviderSharedState.js:17  | MeterProviderSharedState.cjs:11 |
 * | MetricCollector `_metricReader`              | :28                            | :19                             | .cjs:13                       |
 * | PeriodicExportingMetricReader `_exporter`    | :50                            | :83                             | .cjs:59                       |
 *
 * Distributions put processors of their own around these, so fields are matched by a part of their name.
 */
const EXPORTER_FIELD = '_exporter';
const FIELD_ON_THE_WAY = /delegate|processor|sharedState|collector|reader/i;

/** Far more than any provider has; a structure without an end must have one here. */
const MOST_OBJECTS = 1_000;

/** What an exporter exports. */
export type Signal = 'traces' | 'metrics' | 'logs';

/** A field of a processor or metric reader that holds an exporter. */
export interface ExporterField {
  readonly signal: Signal;
  readonly exporter: ExporterLike<unknown>;
  /** For messages: `OTLPTraceExporter in BatchSpanProcessor`. */
  readonly description: string;
  /** Puts another exporter there. @returns whether it is there now */
  replace(exporter: ExporterLike<unknown>): boolean;
}

/** What a look at the registered providers found. */
export interface Findings {
  readonly fields: readonly ExporterField[];
  /** For messages: what was looked at. */
  readonly providers: string;
}

/** Looks at what is registered with the API now. Reads data properties only: no code of others runs, unless behind a proxy. */
export function findExporters(): Findings {
  const roots: readonly [Signal, unknown][] = [
    ['traces', quietly(() => registeredApi()?.trace)],
    ['metrics', quietly(() => registeredApi()?.metrics)],
    ['logs', quietly(() => registeredApi()?.logs)],
    ['logs', quietly(registeredLogs)],
  ];
  // One for all: the same provider of loggers can be registered in both places.
  const visited = new Set<object>();
  const fields = roots.flatMap(([signal, root]) => fieldsBelow(signal, root, visited));
  const providers = roots
    .filter(([, root]) => root !== undefined)
    .map(([signal, root]) => `${signal}: ${className(delegateOf(root))}`);
  return { fields, providers: providers.length === 0 ? 'no provider is registered' : providers.join(', ') };
}

/** Whether the exporter is to stay as it is: it has a breaker already, or sends nothing anywhere. */
export function staysAsItIs(exporter: ExporterLike<unknown>): boolean {
  return /^(Console|InMemory)/.test(className(exporter)) || (quietly(() => isOurs(exporter)) ?? false);
}

/** Known by its shape: another copy of this package, or the other module format, has another class. */
function isOurs(exporter: object): boolean {
  const { breaker, snapshot } = exporter as { breaker?: { tryAcquire?: unknown }; snapshot?: unknown };
  return typeof snapshot === 'function' && typeof breaker?.tryAcquire === 'function';
}

function fieldsBelow(signal: Signal, root: unknown, visited: Set<object>): ExporterField[] {
  const found: ExporterField[] = [];
  const ahead = [root];
  for (const value of ahead) {
    if (!isNewObject(value, visited)) continue;
    visited.add(value);
    for (const [key, next] of dataFields(value)) {
      if (key === EXPORTER_FIELD && isExporter(next)) found.push(exporterField(signal, value, next));
      else if (Array.isArray(value) || FIELD_ON_THE_WAY.test(key)) ahead.push(next);
    }
  }
  return found;
}

function isNewObject(value: unknown, visited: ReadonlySet<object>): value is object {
  return typeof value === 'object' && value !== null && !visited.has(value) && visited.size < MOST_OBJECTS;
}

function exporterField(signal: Signal, holder: object, exporter: ExporterLike<unknown>): ExporterField {
  return {
    signal,
    exporter,
    description: `${className(exporter)} in ${className(holder)}`,
    replace(replacement) {
      // Answers false where the field is read-only or the holder is frozen.
      return (
        Reflect.set(holder, EXPORTER_FIELD, replacement) &&
        (holder as Record<string, unknown>)[EXPORTER_FIELD] === replacement
      );
    },
  };
}

function dataFields(value: object): readonly [string, unknown][] {
  const descriptors = quietly(() => Object.entries(Object.getOwnPropertyDescriptors(value))) ?? [];
  return descriptors.map(([key, descriptor]) => [key, descriptor.value]);
}

function isExporter(value: unknown): value is ExporterLike<unknown> {
  return (
    quietly(() => {
      const { export: send, shutdown } = value as Partial<ExporterLike<unknown>>;
      return typeof send === 'function' && typeof shutdown === 'function';
    }) ?? false
  );
}

/** The provider behind the API's proxy. */
function delegateOf(root: unknown): unknown {
  return quietly(() => (root as { _delegate?: unknown })._delegate) ?? root;
}

function className(value: unknown): string {
  const name: unknown = quietly(() => (value as object).constructor.name);
  return typeof name === 'string' && name !== '' ? name : 'an object';
}

/** `undefined` where a getter or a proxy of somebody else throws: what cannot be looked at is left alone. */
function quietly<R>(look: () => R): R | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
