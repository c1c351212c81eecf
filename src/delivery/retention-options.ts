import type { Checks } from '../internal/validate-options.ts';
import {
  nonNegativeNumber,
  numberThat,
  objectWith,
  optional,
  positiveInteger,
  positiveNumber,
  readOptions,
} from '../internal/validate-options.ts';
import type { BatchStore } from './batch-store.ts';

/** What an exporter keeps of the batches that did not get through. `{}` for the defaults. */
export interface RetentionOptions<T = unknown> {
  /**
   * Spans, log records or data points kept at most; a positive integer. The oldest go first. @defaultValue none: `maxBytes`
   * is the bound
   */
  maxItems?: number | undefined;
  /**
   * Estimated bytes of heap that kept batches take at most; a positive integer. The oldest go first.
   * @defaultValue 64 MiB; none with a `store`
   */
  maxBytes?: number | undefined;
  /** How long a batch is kept at most, in milliseconds; above 0. @defaultValue none */
  maxAgeMillis?: number | undefined;
  /**
   * A batch is given up after this many failed redeliveries while other batches got through; a positive integer.
   * @defaultValue 10
   */
  maxAttempts?: number | undefined;
  /** Redeliveries for each live batch that gets through; a positive integer, or `Infinity`. @defaultValue 1 */
  pace?: number | undefined;
  /** After this many milliseconds without an export a kept batch stands in for one; 0 = never. @defaultValue 15_000 */
  idleMillis?: number | undefined;
  /**
   * The shortest time in milliseconds after which an unanswered export is handed over to retention, so that its caller
   * need not wait; 0 = never. @defaultValue 100
   */
  handOverMillis?: number | undefined;
  /** Holds the kept batches. @defaultValue in memory */
  store?: BatchStore<T> | undefined;
}

/** The options with their defaults filled in. */
export interface CompleteRetentionOptions<T = unknown> {
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly maxAgeMillis: number;
  readonly maxAttempts: number;
  readonly pace: number;
  readonly idleMillis: number;
  readonly handOverMillis: number;
  readonly store: BatchStore<T> | undefined;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

type Checked<T> = Omit<CompleteRetentionOptions<T>, 'maxItems' | 'maxBytes'> & {
  readonly maxItems: number | undefined;
  readonly maxBytes: number | undefined;
};

const retentionOptionChecks: Checks<Checked<never>> = {
  maxItems: optional<number | undefined>(positiveInteger, undefined),
  maxBytes: optional<number | undefined>(positiveInteger, undefined),
  maxAgeMillis: optional(positiveNumber, Number.POSITIVE_INFINITY),
  maxAttempts: optional(positiveInteger, 10),
  pace: optional(
    numberThat(
      'a positive integer or Infinity',
      (value) => value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value > 0),
    ),
    1,
  ),
  idleMillis: optional(nonNegativeNumber, 15_000),
  handOverMillis: optional(nonNegativeNumber, 100),
  store: optional<BatchStore<never> | undefined>(
    objectWith<BatchStore<never>>('open', 'put', 'get', 'delete', 'close'),
    undefined,
  ),
};

/** @throws TypeError, RangeError naming option and value */
export function readRetentionOptions<T>(value: unknown, label: string): CompleteRetentionOptions<T> {
  const { maxItems, maxBytes, ...rest } = readOptions<Checked<T>>(
    label,
    value,
    retentionOptionChecks as unknown as Checks<Checked<T>>,
  );
  const none = Number.POSITIVE_INFINITY;
  return {
    ...rest,
    maxItems: maxItems ?? none,
    maxBytes: maxBytes ?? (rest.store === undefined ? DEFAULT_MAX_BYTES : none),
  };
}
