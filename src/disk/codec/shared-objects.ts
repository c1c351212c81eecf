import type { RevivedResource } from './revived.ts';
import { revivedResource } from './revived.ts';
import type { Json } from './tagged-values.ts';
import { CodecError, decodeMap, decodeValue, encodeMap, encodeValue } from './tagged-values.ts';

/** The resource of a batch, of any line of the SDK. */
export interface ResourceLike {
  readonly attributes: object;
  readonly schemaUrl?: unknown;
}

/** An instrumentation scope, of any line of the SDK. */
export interface ScopeLike {
  readonly name: unknown;
  readonly version?: unknown;
  readonly schemaUrl?: unknown;
  readonly attributes?: object | undefined;
  readonly droppedAttributesCount?: unknown;
}

/** A line of an encoded batch. The first element says what it holds. */
export type Row = readonly Json[];

const RESOURCE = 'r';
const SCOPE = 's';

/**
 * The resources and scopes of a batch while it is encoded: each gets one row, and a number. The serializers group by
 * identity, so that equal objects stay apart.
 */
export class SharedObjectsWriter {
  readonly #resources = new Map<ResourceLike, number>();
  readonly #scopes = new Map<ScopeLike, number>();

  /** Adds the row of an object that is new to `rows`. @returns the number of the object */
  resource(resource: ResourceLike, rows: Row[]): number {
    return numberOf(this.#resources, resource, () => rows.push(resourceRow(resource)));
  }

  /** The same for a scope. */
  scope(scope: ScopeLike, rows: Row[]): number {
    return numberOf(this.#scopes, scope, () => rows.push(scopeRow(scope)));
  }
}

/** The same objects while a batch is decoded. */
export class SharedObjectsReader {
  readonly #resources: RevivedResource[] = [];
  readonly #scopes: ScopeLike[] = [];

  /** Takes a row that describes a shared object. @returns whether it was one */
  take(row: readonly unknown[]): boolean {
    if (row[0] === RESOURCE) this.#resources.push(readResource(row));
    else if (row[0] === SCOPE) this.#scopes.push(readScope(row));
    else return false;
    return true;
  }

  /** @throws CodecError for a number that no row has described */
  resource(number: unknown): RevivedResource {
    return found(this.#resources, number);
  }

  /** @throws CodecError for a number that no row has described */
  scope(number: unknown): ScopeLike {
    return found(this.#scopes, number);
  }
}

/** The text of a trace state, or a span's parent: what may be absent and has one type otherwise. @throws CodecError */
export function optionalString(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'string') throw new CodecError('expected a string');
  return value;
}

/** @throws CodecError */
export function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new CodecError('expected a list');
  return value;
}

function resourceRow({ attributes, schemaUrl }: ResourceLike): Row {
  return [RESOURCE, encodeMap(attributes), encodeValue(schemaUrl)];
}

function scopeRow({ name, version, schemaUrl, attributes, droppedAttributesCount }: ScopeLike): Row {
  return [
    SCOPE,
    encodeValue(name),
    encodeValue(version),
    encodeValue(schemaUrl),
    attributes && encodeMap(attributes),
    encodeValue(droppedAttributesCount),
  ];
}

function readResource([, attributes, schemaUrl]: readonly unknown[]): RevivedResource {
  return revivedResource(decodeMap(attributes), optionalString(schemaUrl));
}

function readScope([, name, version, schemaUrl, attributes, dropped]: readonly unknown[]): ScopeLike {
  return {
    name: decodeValue(name),
    version: decodeValue(version),
    schemaUrl: decodeValue(schemaUrl),
    ...(attributes != null && { attributes: decodeMap(attributes) }),
    ...(dropped != null && { droppedAttributesCount: decodeValue(dropped) }),
  };
}

function numberOf<T>(numbers: Map<T, number>, object: T, describe: () => void): number {
  const known = numbers.get(object);
  if (known !== undefined) return known;
  const number = numbers.size;
  numbers.set(object, number);
  describe();
  return number;
}

function found<T>(objects: readonly T[], number: unknown): T {
  const object = typeof number === 'number' ? objects[number] : undefined;
  if (object === undefined) throw new CodecError('a row refers to a shared object that is not there');
  return object;
}
