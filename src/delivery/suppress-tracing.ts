import type { Context } from '@opentelemetry/api';
import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

/** The part of the API's global that suppression needs. */
interface RegisteredApi {
  readonly context?: { with(context: Context, run: () => void): void };
}

/** The part of `process` that reaches built-ins without an import: Node >= 20.16 and >= 22.3, Bun, Deno, workerd. */
interface BuiltinSource {
  getBuiltinModule?(
    name: 'node:async_hooks',
  ): { readonly AsyncLocalStorage?: { snapshot?(): Detached } } | undefined;
}

/** Runs a function in the asynchronous context in which it was made. */
type Detached = <R>(run: () => R) => R;

/**
 * The API's copies keep what the application registered under this symbol. Read directly: a copy that is newer than the
 * one that registered gets a no-op instead.
 */
const REGISTERED_API = Symbol.for('opentelemetry.js.api.1');

/**
 * The key that instrumentations look for, the same in all lines of the SDK; its symbol is in the global registry.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/blob/main/packages/opentelemetry-core/src/trace/suppress-tracing.ts
 */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

// Nothing of the caller's context: it would live on in the timers made here.
const SUPPRESSED = ROOT_CONTEXT.setValue(SUPPRESS_TRACING, true);

// Taken while the module loads, before there is any request.
const detached = takeSnapshot();

/** Runs it so that instrumentations make no spans of what it sends, which would be exported in turn. */
export function withTracingSuppressed(run: () => void): void {
  runDetached(() => {
    const { context } = (globalThis as { [REGISTERED_API]?: RegisteredApi })[REGISTERED_API] ?? {};
    if (context === undefined) run();
    else context.with(SUPPRESSED, run);
  });
}

/**
 * Runs it outside every `AsyncLocalStorage` of the caller. Timers and requests started inside would otherwise hold the
 * caller's stores for as long as they live. Platforms without `AsyncLocalStorage.snapshot()` run it as it is.
 */
export function runDetached<R>(run: () => R): R {
  return detached === undefined ? run() : detached(run);
}

function takeSnapshot(): Detached | undefined {
  const { process } = globalThis as { process?: BuiltinSource };
  try {
    return process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage?.snapshot?.();
  } catch {
    // A platform that knows the function and refuses the module.
    return undefined;
  }
}
