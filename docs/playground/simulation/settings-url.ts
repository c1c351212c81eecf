import type { Settings } from './settings.ts';
import { DEFAULT_SETTINGS, FIELDS, readField, withSetting, writeField } from './settings.ts';

/** The settings as a query string, such as `?backend=hangs&rate=1`; only those that differ from the defaults. */
export function toQuery(settings: Settings): string {
  const parameters = new URLSearchParams();
  for (const { name } of FIELDS) {
    if (settings[name] !== DEFAULT_SETTINGS[name]) parameters.set(name, writeField(settings[name]));
  }
  const query = parameters.toString();
  return query === '' ? '' : `?${query}`;
}

/** Reads a query string. What is missing, unknown or means nothing is left at its default; numbers are kept in range. */
export function fromQuery(query: string): Settings {
  const parameters = new URLSearchParams(query);
  let settings: Settings = { ...DEFAULT_SETTINGS };
  for (const field of FIELDS) {
    const text = parameters.get(field.name);
    const value = text === null ? undefined : readField(field, text);
    if (value !== undefined) settings = withSetting(settings, field.name, value);
  }
  return settings;
}
