import type { ExporterSnapshot } from '../delivery/delivery-snapshot.ts';
import type { CircuitBreakerExporter } from '../exporter/circuit-breaker-exporter.ts';
import { objectWith } from '../internal/validate-options.ts';

/** What can be registered: every `CircuitBreakerExporter`, also one of another copy of this package. */
export interface RegisteredExporter {
  snapshot(): ExporterSnapshot;
}

/** In the global registry of symbols: all copies of this package, in both module formats, share one list. */
const REGISTRY = Symbol.for('otel-circuit-breaker.exporters');

/**
 * Adds an exporter to the list of this process, so that any module can find it, whichever copy of this package that
 * module was bundled with. The list holds weak references: an exporter that nobody uses any more disappears from it.
 *
 * @param exporter - registering it twice counts once
 * @returns the same exporter
 * @throws TypeError if it has no `snapshot()`
 * @example
 * ```ts
 * import { CircuitBreakerExporter } from 'otel-circuit-breaker';
 * import { createFetchHandler } from 'otel-circuit-breaker/http';
 * import { registeredExporters, registerExporter } from 'otel-circuit-breaker/registry';
 * import { ScriptedExporter } from 'otel-circuit-breaker/testing';
 *
 * // Where OpenTelemetry is set up:
 * export const exporter = registerExporter(new CircuitBreakerExporter(new ScriptedExporter()));
 * // In a route, which the bundler gave a copy of its own:
 * export const GET = createFetchHandler(() => registeredExporters());
 * ```
 */
export function registerExporter<E extends RegisteredExporter>(exporter: E): E {
  objectWith<RegisteredExporter>('snapshot')(exporter, 'registerExporter: exporter');
  const references = livingReferences();
  if (!references.some((reference) => reference.deref() === exporter)) references.push(new WeakRef(exporter));
  return exporter;
}

/**
 * The registered exporters that are still in use, in the order in which they were registered.
 *
 * @returns a new array at each call; a source for `createNodeHandler`, `renderHealth` and the other adapters
 */
export function registeredExporters(): CircuitBreakerExporter<unknown>[] {
  return livingReferences().flatMap((reference) => {
    const exporter = reference.deref();
    return exporter === undefined ? [] : [exporter as CircuitBreakerExporter<unknown>];
  });
}

/** The one list, without the references to what has been collected. */
function livingReferences(): WeakRef<RegisteredExporter>[] {
  const holder = globalThis as { [REGISTRY]?: WeakRef<RegisteredExporter>[] };
  holder[REGISTRY] ??= [];
  const references = holder[REGISTRY];
  const living = references.filter((reference) => reference.deref() !== undefined);
  references.splice(0, references.length, ...living);
  return references;
}
