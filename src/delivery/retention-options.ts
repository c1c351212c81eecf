import type { Checks } from '../internal/validate-options.ts';
import {
  nonNegativeNumber,
  numberThat,
  optional,
  positiveInteger,
  positiveNumber,
} from '../internal/validate-options.ts';

/** What an exporter keeps, in memory, of what did not get through. `{}` for the defaults. */
export interface RetentionOptions {
  /** Spans, log records or data points kept at most; a positive integer. The oldest go first. @defaultValue 20_000 */
  maxItems?: number | undefined;
  /** For how long a batch is kept at most, in milliseconds; above 0. @defaultValue none */
  maxAgeMillis?: number | undefined;
  /** After how many redeliveries that failed while live batches got through a batch is given up; a positive integer. @defaultValue 10 */
  maxAttempts?: number | undefined;
  /** Redeliveries for each live batch that gets through; a positive integer, or `Infinity`. @defaultValue 1 */
  pace?: number | undefined;
  /** After how many milliseconds without an export a kept batch stands in for one; 0 = never. @defaultValue 15_000 */
  idleMillis?: number | undefined;
}

/** The options with their defaults filled in. */
export type CompleteRetentionOptions = { [K in keyof RetentionOptions]-?: NonNullable<RetentionOptions[K]> };

/** One check an option. */
export const retentionOptionChecks: Checks<CompleteRetentionOptions> = {
  maxItems: optional(positiveInteger, 20_000),
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
};
