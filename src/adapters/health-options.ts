import type { Checks } from '../internal/validate-options.ts';
import { boolean, numberThat, optional } from '../internal/validate-options.ts';

/** Options of `renderHealth`. A key with the value `undefined` is an absent key. */
export interface RenderHealthOptions {
  /** The HTTP status while unhealthy; an integer from 200 to 599 whose answer can have a body. @defaultValue 503 */
  openStatus?: number | undefined;
  /**
   * Whether the failures carry their error's message, which can hold URLs and credentials. @defaultValue false
   */
  includeErrorMessages?: boolean | undefined;
  /** The time of the report, in Unix milliseconds. @defaultValue Date.now(), anew for each report */
  now?: number | undefined;
}

/** The options with their defaults filled in; without `now`, the report takes the time itself. */
export interface CompleteHealthOptions {
  readonly openStatus: number;
  readonly includeErrorMessages: boolean;
  readonly now: number | undefined;
}

const STATUSES_WITHOUT_BODY: readonly number[] = [204, 205, 304];

/** The farthest a `Date` reaches from 1970, both ways. */
const LAST_DATE_MILLIS = 8.64e15;

/** One check an option. */
export const healthOptionChecks: Checks<CompleteHealthOptions> = {
  openStatus: optional(
    numberThat(
      'an HTTP status from 200 to 599 with a body',
      (value) =>
        Number.isInteger(value) && value >= 200 && value <= 599 && !STATUSES_WITHOUT_BODY.includes(value),
    ),
    503,
  ),
  includeErrorMessages: optional(boolean, false),
  now: optional<number | undefined>(
    numberThat('a time in Unix milliseconds', (value) => Math.abs(value) <= LAST_DATE_MILLIS),
    undefined,
  ),
};
