import { escapeText } from './escape-text.ts';

/** Longer codes and names are cut: some SDKs put a server's text there. */
const LONGEST_CHARACTERS = 100;

/** The part of a failure in a snapshot that makes its label. */
export interface LabelledFailure {
  readonly name: string;
  readonly code: string | number | null;
  readonly cause: string | null;
}

/**
 * A failure for log lines and error messages: its code and cause, such as `ECONNREFUSED (connection refused)`, or the one
 * of the two that is known, or else the error's name. Never its message, which can hold URLs and credentials.
 */
export function failureLabel({ name, code, cause }: LabelledFailure): string {
  if (code === null || code === '') return cause ?? escapeText(name, LONGEST_CHARACTERS);
  const shown = escapeText(String(code), LONGEST_CHARACTERS);
  return cause === null ? shown : `${shown} (${cause})`;
}
