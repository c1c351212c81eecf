import { show } from '../internal/validate-options.ts';

/** A process' environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How a variable's text is understood. */
export interface Format<T> {
  /** What it must be, in words. */
  readonly wanted: string;
  /** `undefined` for what it must not be. */
  readonly parse: (text: string) => T | undefined;
}

/** Reads variables. Nothing here throws: a bad value is one warning, and so is an environment that refuses to be read. */
export class EnvironmentReader {
  readonly #env: Environment;
  readonly #warn: (message: string) => void;
  #refused = false;

  constructor(env: Environment, warn: (message: string) => void) {
    this.#env = env;
    this.#warn = warn;
  }

  /** `undefined` where the variable is not set, or has a bad value. */
  read<T>(variable: string, { wanted, parse }: Format<T>): T | undefined {
    const text = this.text(variable);
    if (text === '') return undefined;
    const value = parse(text);
    if (value === undefined)
      this.warn(`${variable} must be ${wanted}, got ${show(text)}; the default stands`);
    return value;
  }

  /** Empty where the variable is not set: OpenTelemetry takes both for the same. */
  text(variable: string): string {
    try {
      // In workers a variable can be a number or a boolean.
      return String(this.#env[variable] ?? '').trim();
    } catch {
      // Deno without the permission.
      if (!this.#refused) this.warn(`the environment cannot be read (${variable}); the defaults stand`);
      this.#refused = true;
      return '';
    }
  }

  warn(message: string): void {
    try {
      this.#warn(message);
    } catch {
      // Options must not fail because of a logger.
    }
  }
}

export const trueOrFalse: Format<boolean> = {
  wanted: 'true or false',
  parse(text) {
    const lower = text.toLowerCase();
    return lower === 'true' || lower === 'false' ? lower === 'true' : undefined;
  },
};

export const integer: Format<number> = { wanted: 'an integer of at least 0', parse: parseInteger };

export const positiveInteger: Format<number> = {
  wanted: 'a positive integer',
  parse: (text) => parseInteger(text) || undefined,
};

/** What the OTLP exporters themselves accept. */
export const otlpTimeout: Format<number> = {
  wanted: 'a number above 0',
  parse(text) {
    const value = Number(text);
    return Number.isFinite(value) && value > 0 ? value : undefined;
  },
};

/** Decimal digits alone: no sign, unit, fraction or exponent. */
function parseInteger(text: string): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}
