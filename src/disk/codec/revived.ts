import type { TraceState } from '@opentelemetry/api';
import { createTraceState } from '@opentelemetry/api';

type Attributes = Record<string, unknown>;

/** A resource as exporters and processors of every line of the SDK use it. */
export interface RevivedResource {
  readonly attributes: Attributes;
  readonly schemaUrl: string | undefined;
  readonly asyncAttributesPending: false;
  getRawAttributes(): [string, unknown][];
  merge(other: OtherResource | null | undefined): RevivedResource;
}

interface OtherResource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string | undefined;
}

/** Makes a resource of what was stored of one. */
export function revivedResource(attributes: Attributes, schemaUrl: string | undefined): RevivedResource {
  const resource: RevivedResource = {
    attributes,
    schemaUrl,
    asyncAttributesPending: false,
    getRawAttributes: () => Object.entries(attributes),
    merge(other) {
      if (other === null || other === undefined) return resource;
      const merged = Object.fromEntries([...Object.entries(attributes), ...Object.entries(other.attributes)]);
      return revivedResource(merged, mergedSchemaUrl(schemaUrl, other.schemaUrl));
    },
  };
  return resource;
}

/** The rule of the specification: the updating one's, unless it is empty; none if the two contradict each other. */
function mergedSchemaUrl(old: string | undefined, updating: string | undefined): string | undefined {
  if (!old) return updating;
  return !updating || updating === old ? old : undefined;
}

/** A trace state that serializes to exactly the text that was stored. */
export function revivedTraceState(text: string): TraceState {
  return {
    serialize: () => text,
    get: (key) => createTraceState(text).get(key),
    set: (key, value) => createTraceState(text).set(key, value),
    unset: (key) => createTraceState(text).unset(key),
  };
}
