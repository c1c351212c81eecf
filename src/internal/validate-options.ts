/** Checks one option: returns it complete (`undefined` becomes the default), or throws an error that names it and its value. */
export type Check<T> = (value: unknown, label: string) => T;

/** One check an option; what is not listed is unknown. */
export type Checks<T extends object> = { readonly [K in keyof T]-?: Check<T[K]> };

/**
 * Reads an options object: every key checked, defaults filled in, unknown keys refused.
 *
 * @param owner - what the options are for; the errors begin with it
 * @param given - what the user passed; `undefined` is `{}`, and a key with the value `undefined` is an absent key
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

/** The options as an object to read from. @throws TypeError when they are no object */
export function optionsObject(owner: string, given: unknown): Readonly<Record<string, unknown>> {
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(`${owner}: options must be an object, got ${show(given)}`);
  }
  return given as Readonly<Record<string, unknown>>;
}

/** @throws TypeError for the first key that is not known, with the nearest known one where there is one */
export function refuseUnknownKeys(owner: string, options: object, known: readonly string[]): void {
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || known.includes(key)) continue;
    const nearest = nearestName(key, known);
    const hint = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean "${nearest}"?`;
    throw new TypeError(`${owner}: unknown option "${key}" (${show(value)}); ${hint}`);
  }
}

/** A check whose absent value is `fallback`. */
export function optional<T>(check: Check<T>, fallback: T): Check<T> {
  return (value, label) => (value === undefined ? fallback : check(value, label));
}

// The calls below are marked as pure, so that a bundle has only those checks that it uses.

/** A number; `wanted` says in words what `accepts` tests. @throws TypeError for no number, RangeError for one that is not accepted */
export function numberThat(wanted: string, accepts: (value: number) => boolean): Check<number> {
  return (value, label) => {
    if (typeof value !== 'number') throw new TypeError(`${label} must be ${wanted}, got ${show(value)}`);
    if (!accepts(value)) throw new RangeError(`${label} must be ${wanted}, got ${show(value)}`);
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

export const finiteNumber: Check<number> = /* @__PURE__ */ numberThat('a finite number', Number.isFinite);

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
  if (typeof value !== 'boolean') throw new TypeError(`${label} must be true or false, got ${show(value)}`);
  return value;
};

export const nonEmptyString: Check<string> = (value, label) => {
  if (typeof value !== 'string' || value === '') {
    throw new TypeError(`${label} must be a non-empty string, got ${show(value)}`);
  }
  return value;
};

/** One of some strings. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Check<T> {
  return (value, label) => {
    if (!allowed.includes(value as T)) {
      throw new TypeError(`${label} must be one of ${allowed.map(show).join(', ')}, got ${show(value)}`);
    }
    return value as T;
  };
}

/** A function, of whatever type the option has. */
export function aFunction<F>(value: unknown, label: string): F {
  if (typeof value !== 'function') throw new TypeError(`${label} must be a function, got ${show(value)}`);
  return value as F;
}

/** An object with methods of these names. */
export function objectWith<T>(...methods: readonly (keyof T & string)[]): Check<T> {
  return (value, label) => {
    for (const method of methods) {
      if (typeof (value as Record<string, unknown> | null | undefined)?.[method] !== 'function') {
        throw new TypeError(
          `${label} must be an object with ${methods.map((m) => `${m}()`).join(', ')}, got ${show(value)}`,
        );
      }
    }
    return value as T;
  };
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
      return Array.isArray(value) ? `an array of ${value.length}` : 'an object';
    case 'bigint':
      return `${value}n`;
    default:
      return String(value);
  }
}

/** The known name that differs from `name` by at most a third of its letters, if any. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Levenshtein's distance, in one row. */
function editDistance(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0] as number;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const substituted = diagonal + (a[i - 1] === b[j - 1] ? 0 : 1);
      diagonal = row[j] as number;
      row[j] = Math.min(substituted, diagonal + 1, (row[j - 1] as number) + 1);
    }
  }
  return row[b.length] as number;
}
