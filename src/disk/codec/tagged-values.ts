/**
 * Attribute values and log bodies as JSON. Strings, booleans and ordinary numbers stand for themselves, `null` for
 * `undefined`; whatever JSON cannot say is an object with one key, its tag. A map is tagged, too, so that no content
 * can be mistaken for a tag.
 */
type Tagged =
  | { readonly n: 0 }
  | { readonly d: string }
  | { readonly i: string }
  | { readonly b: string }
  | { readonly B: string }
  | { readonly m: JsonMap };

/** What stands in a row. */
export type Json = string | number | boolean | null | undefined | readonly Json[] | Tagged | JsonMap;
export type JsonMap = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 200;
/** The decoder counts the lists of plain values, which the encoder does not look into. */
const MAX_DECODED_DEPTH = MAX_DEPTH + 1;
/** Parsing the digits of a bigint takes time in proportion to the square of their number. */
const MAX_BIGINT_LENGTH = 10_000;

/** A value cannot be written, or was not written by this codec. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

/** @throws CodecError for a value that nests too deeply */
export function encodeValue(value: unknown, depth = 0): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'number':
      return isOrdinary(value) ? value : { d: Object.is(value, -0) ? '-0' : String(value) };
    case 'bigint':
      return encodeBigint(value);
    case 'object':
      return value === null ? { n: 0 } : encodeObject(value, depth);
    default:
      // OTLP has an empty value for functions and symbols, as it has for null.
      return { n: 0 };
  }
}

/** Encodes an object's own enumerable properties, which is all that the OTLP serializers read. */
export function encodeMap(map: object, depth = 0): JsonMap {
  if (depth > MAX_DEPTH) throw tooDeep();
  const source = map as JsonMap;
  if (isOrdinaryMap(source)) return source;
  // Without a prototype, `__proto__` is a key like any other.
  const encoded: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(source)) {
    const value = encodeValue(source[key], depth + 1);
    encoded[key] = value === undefined ? null : value;
  }
  return encoded;
}

/** Decodes in place. @throws CodecError */
export function decodeValue(json: unknown, depth = 0): unknown {
  if (json === null) return undefined;
  if (typeof json !== 'object') return json;
  if (depth > MAX_DECODED_DEPTH) throw tooDeep();
  if (Array.isArray(json)) {
    for (let i = 0; i < json.length; i++) {
      if (typeof json[i] === 'object') json[i] = decodeValue(json[i], depth + 1);
    }
    return json;
  }
  const [tag, more] = Object.keys(json);
  if (tag === undefined || more !== undefined) throw new CodecError('a tagged value must have one tag');
  return decodeTagged(tag, (json as JsonMap)[tag], depth);
}

/** Decodes in place. @throws CodecError */
export function decodeMap(json: unknown, depth = 0): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CodecError('expected a map');
  }
  const map = json as Record<string, unknown>;
  for (const key of Object.keys(map)) {
    // The property is the map's own, so that assigning to it reaches no prototype, whatever its key.
    if (typeof map[key] === 'object') map[key] = decodeValue(map[key], depth + 1);
  }
  return map;
}

function tooDeep(): CodecError {
  return new CodecError(`a value nests deeper than ${MAX_DEPTH} levels`);
}

function isOrdinary(number: number): boolean {
  return Number.isFinite(number) && !Object.is(number, -0);
}

function isOrdinaryPrimitive(value: unknown): boolean {
  const type = typeof value;
  return type === 'string' || type === 'boolean' || (type === 'number' && isOrdinary(value as number));
}

/** Whether JSON can say all of it as it is, which is the rule for attributes. */
function isOrdinaryMap(map: JsonMap): boolean {
  for (const key of Object.keys(map)) {
    const value = map[key];
    if (!isOrdinaryPrimitive(value) && !(Array.isArray(value) && value.every(isOrdinaryPrimitive)))
      return false;
  }
  return typeof map['toJSON'] !== 'function';
}

function encodeBigint(value: bigint): Json {
  const digits = String(value);
  if (digits.length > MAX_BIGINT_LENGTH) {
    throw new CodecError(`a bigint has more than ${MAX_BIGINT_LENGTH} digits`);
  }
  return { i: digits };
}

function encodeObject(value: object, depth: number): Json {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    // The JSON serializer of SDK 1.30 writes the two differently.
    return Buffer.isBuffer(value) ? { B: bytes } : { b: bytes };
  }
  if (!Array.isArray(value)) return { m: encodeMap(value, depth) };
  if (depth > MAX_DEPTH) throw tooDeep();
  if (value.every(isOrdinaryPrimitive)) return value;
  return Array.from(value, (element) => encodeValue(element, depth + 1));
}

function decodeTagged(tag: string, content: unknown, depth: number): unknown {
  switch (tag) {
    case 'n':
      return null;
    case 'm':
      return decodeMap(content, depth);
    case 'd':
      if (content === '-0') return -0;
      if (content === 'NaN' || content === 'Infinity' || content === '-Infinity') return Number(content);
      break;
    case 'i':
      if (typeof content === 'string' && content.length <= MAX_BIGINT_LENGTH && /^-?\d+$/.test(content)) {
        return BigInt(content);
      }
      break;
    case 'B':
      if (typeof content === 'string') return Buffer.from(content, 'base64');
      break;
    case 'b':
      if (typeof content === 'string') return new Uint8Array(Buffer.from(content, 'base64'));
      break;
  }
  throw new CodecError(`unknown or malformed tag ${JSON.stringify(tag.slice(0, 20))}`);
}
