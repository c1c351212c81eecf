import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';

/**
 * The key that instrumentations look for, the same in all lines of the SDK; its symbol is in the global registry.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/blob/main/packages/opentelemetry-core/src/trace/suppress-tracing.ts
 */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

// Nothing of the context of the batch: it would live on in the timers made here.
const SUPPRESSED = ROOT_CONTEXT.setValue(SUPPRESS_TRACING, true);

/** Runs it so that instrumentations make no spans of what it sends, which would then be exported, which … */
export function withTracingSuppressed(run: () => void): void {
  context.with(SUPPRESSED, run);
}
