// What V8 needs beside the characters and bytes themselves, on average in spans and log records.
const OBJECT_BYTES = 28;
const PROPERTY_BYTES = 16;
const STRING_BYTES = 16;

/**
 * A cheap estimate of the heap that a batch holds: within a factor of two for spans and log records of usual shape, and
 * never less than the length of its strings. An object that several items share, such as their resource, counts once.
 */
export function estimateBytes(batch: unknown): number {
  const seen = new Set<object>();
  // A list, not recursion: nesting can be deeper than the call stack.
  const waiting: object[] = [];
  let bytes = 0;

  const add = (value: unknown, key = ''): void => {
    bytes += Math.max(PROPERTY_BYTES, key.length);
    // A character takes one byte or two; telling which would cost more than the rest of the estimate.
    if (typeof value === 'string') bytes += STRING_BYTES + value.length * 1.25;
    else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value);
      waiting.push(value);
    }
  };

  add(batch);
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    bytes += OBJECT_BYTES;
    if (ArrayBuffer.isView(object)) bytes += object.byteLength;
    else if (Array.isArray(object) || object instanceof Map || object instanceof Set) {
      for (const element of object) add(element);
    } else addProperties(object as Record<string, unknown>, add);
  }
  return bytes;
}

function addProperties(
  object: Readonly<Record<string, unknown>>,
  add: (value: unknown, key: string) => void,
): void {
  const isInstance = !isData(object);
  for (const key of Object.keys(object)) {
    const value = object[key];
    // A span has its processor in a private field, and would lead through it to everything else.
    if (!isInstance || !key.startsWith('_') || isData(value)) add(value, key);
  }
}

/** Whether a value is data, and not an instance of a class. */
function isData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
