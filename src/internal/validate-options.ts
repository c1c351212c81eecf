import { isThenable } from './report-problem.ts';

/** Checks one option: returns it complete (`undefined` becomes the default), or throws an error that names it and its value. */
export type Check<T> = (value: unknown, label: string) => T;

/** A check for each option; other keys are unknown. */
export type Checks<T extends object> = { readonly [K in keyof T]-?: Check<T[K]> };

/**
 * Reads an options object: checks every key, fills in defaults, refuses unknown keys.
 *
 * @param owner - the function or class that takes the options; the errors begin with it
 * @param given - the value that the user passed; `undefined` is `{}`, and a key with the value `undefined` counts as absent
 * @param checks - a check for each known key
 * @throws TypeError for a bad value or an unknown key, RangeError for a number out of its range
 */
export function readOptions<T extends object>(owner: string, given: unknown, checks: Checks<T>): T {
  const options = optionsObject(owner, given);
  refuseUnknownKeys(owner, options, Object.keys(checks));
  const complete: Partial<T> = {};
  for (const key of Object.keys(checks) as (keyof T & string)[]) {
    complete[key] = checks[key](options[key], `${owner}: option "${key}"`);
  }
  return complete as T;
}

/** The options as an object to read from. @throws TypeError for anything but an object */
export function optionsObject(owner: string, given: unknown): Readonly<Record<string, unknown>> {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    refuse(`${owner}: options`, 'an object', given);
  }
  return given as Readonly<Record<string, unknown>>;
}

/** @throws TypeError for the first unknown key, with a list of the known ones */
export function refuseUnknownKeys(owner: string, options: object, known: readonly string[]): void {
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || known.includes(key)) continue;
    throw new TypeError(
      `${owner}: unknown option "${key}" (${show(value)}); known options: ${known.join(', ')}`,
    );
  }
}

/** A check that returns `fallback` for `undefined`. */
export function optional<T>(check: Check<T>, fallback: T): Check<T> {
  return (value, label) => (value === undefined ? fallback : check(value, label));
}

// The calls below are marked as pure, so that a bundle contains only the checks that it uses.

/** A check for numbers; `wanted` describes those that `accepts` lets pass. It throws a RangeError for others. */
export function numberThat(wanted: string, accepts: (value: number) => boolean): Check<number> {
  return (value, label) => {
    if (typeof value !== 'number') refuse(label, wanted, value);
    if (!accepts(value)) refuse(label, wanted, value, RangeError);
    return value;
  };
}

export const positiveInteger: Check<number> = /* @__PURE__ */ numberThat(
  'a positive integer',
  (value) => Number.isSafeInteger(value) && value > 0,
);

export const nonNegativeInteger: Check<number> = /* @__PURE__ */ numberThat(
  'an integer of at least 0',
  (value) => Number.isSafeInteger(value) && value >= 0,
);

export const finiteNumber: Check<number> = /* @__PURE__ */ numberThat('a finite number', (value) =>
  Number.isFinite(value),
);

export const nonNegativeNumber: Check<number> = /* @__PURE__ */ numberThat(
  'a finite number of at least 0',
  (value) => Number.isFinite(value) && value >= 0,
);

export const positiveNumber: Check<number> = /* @__PURE__ */ numberThat(
  'a finite number above 0',
  (value) => Number.isFinite(value) && value > 0,
);

/** A share of a whole: above 0, at most 1. */
export const share: Check<number> = /* @__PURE__ */ numberThat(
  'a number above 0 and at most 1',
  (value) => value > 0 && value <= 1,
);

export const boolean: Check<boolean> = (value, label) => {
  if (typeof value !== 'boolean') refuse(label, 'true or false', value);
  return value;
};

export const nonEmptyString: Check<string> = (value, label) => {
  if (typeof value !== 'string' || value === '') refuse(label, 'a non-empty string', value);
  return value;
};

/** One of some strings. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Check<T> {
  return (value, label) => {
    if (!allowed.includes(value as T)) refuse(label, `one of ${allowed.map(show).join(', ')}`, value);
    return value as T;
  };
}

/** A function, of whatever type the option has. */
export function aFunction<F>(value: unknown, label: string): F {
  if (typeof value !== 'function') refuse(label, 'a function', value);
  return value as F;
}

/** An object with methods of these names. */
export function objectWith<T>(...methods: readonly (keyof T & string)[]): Check<T> {
  return (value, label) => {
    for (const method of methods) {
      if (typeof (value as Record<string, unknown> | null | undefined)?.[method] !== 'function') {
        refuse(label, `an object with ${methods.map((name) => `${name}()`).join(', ')}`, value);
      }
    }
    return value as T;
  };
}

/** @throws an error that names the option, its value, and the values that are accepted */
function refuse(label: string, wanted: string, value: unknown, errorClass = TypeError): never {
  throw new errorClass(`${label} must be ${wanted}, got ${show(value)}`);
}

/** A value as an error message shows it: short, and never throws. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
    case 'function':
      return `function ${value.name || '(anonymous)'}`;
    case 'object':
      if (value === null) return 'null';
      if (isThenable(value)) return 'a promise';
      return Array.isArray(value) ? `an array of ${value.length}` : 'an object';
    case 'bigint':
      return `${value}n`;
    default:
      return String(value);
  }
}
