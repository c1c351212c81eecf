import { revivedTraceState } from './revived.ts';
import { list, optionalString } from './shared-objects.ts';
import type { Json } from './tagged-values.ts';
import { decodeValue, encodeValue } from './tagged-values.ts';

/** A span context of any line of the SDK. */
export interface SpanContextLike {
  readonly traceId: unknown;
  readonly spanId: unknown;
  readonly traceFlags: unknown;
  readonly isRemote?: unknown;
  readonly traceState?: { serialize(): string } | undefined;
}

/** Encodes a span context, or the absence of one. */
export function encodeSpanContext(context: SpanContextLike | undefined): Json {
  if (context === undefined) return undefined;
  const { traceId, spanId, traceFlags, isRemote, traceState } = context;
  const fields = [traceId, spanId, traceFlags, isRemote].map((field) => encodeValue(field));
  return traceState === undefined ? fields : [...fields, traceState.serialize()];
}

/** @throws CodecError */
export function decodeSpanContext(json: unknown): SpanContextLike {
  const [traceId, spanId, traceFlags, isRemote, traceState] = list(json);
  const text = optionalString(traceState);
  return {
    traceId: decodeValue(traceId),
    spanId: decodeValue(spanId),
    traceFlags: decodeValue(traceFlags),
    ...(isRemote != null && { isRemote: decodeValue(isRemote) }),
    ...(text !== undefined && { traceState: revivedTraceState(text) }),
  };
}
