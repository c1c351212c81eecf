/**
 * Text from outside, such as an error's `name` or `code`, as a log line or an error message may hold it: cut after
 * `maxLength` characters, with line breaks and control characters escaped.
 */
export function escapeText(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  // Surrogates that stand alone are what is left of a character that was cut in two.
  return cut.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, escapeCharacter);
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  return SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
