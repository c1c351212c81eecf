import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../docs/playground/simulation/presets.ts';
import type { SettingName } from '../../docs/playground/simulation/settings.ts';
import {
  DEFAULT_SETTINGS,
  FIELD_GROUPS,
  FIELDS,
  readField,
  writeField,
} from '../../docs/playground/simulation/settings.ts';
import { fromQuery, toQuery } from '../../docs/playground/simulation/settings-url.ts';
import { tableBetween } from '../docs/markdown.ts';
import { anySettings } from './any-settings.ts';

function read(name: SettingName, text: string) {
  const field = FIELDS.find((each) => each.name === name);
  return field === undefined ? undefined : readField(field, text);
}

describe('the fields', () => {
  it('are all the settings, each once', () => {
    expect(FIELDS.map(({ name }) => name).sort()).toEqual(Object.keys(DEFAULT_SETTINGS).sort());
  });

  it('allow the defaults and the presets', () => {
    for (const settings of [DEFAULT_SETTINGS, ...PRESETS.map((preset) => preset.settings)]) {
      for (const field of FIELDS) {
        const value = settings[field.name];
        expect([field.name, readField(field, writeField(value))]).toEqual([field.name, value]);
      }
    }
  });

  it('keep numbers in their range, and whole where they have to be', () => {
    expect(read('rate', '0')).toBe(0.01);
    expect(read('rate', '1e9')).toBe(10);
    expect(read('failures', '2.6')).toBe(3);
    expect(read('fail', '2.5')).toBe(2.5);
  });

  it('take nothing from a text that means nothing', () => {
    expect(read('rate', '')).toBeUndefined();
    expect(read('rate', 'many')).toBeUndefined();
    expect(read('rate', 'Infinity')).toBeUndefined();
    expect(read('backend', 'explodes')).toBeUndefined();
    expect(read('retention', 'yes')).toBeUndefined();
  });

  it('are shown where they matter', () => {
    const shown = (different: object) =>
      FIELDS.filter(({ matters }) => matters?.({ ...DEFAULT_SETTINGS, ...different }) ?? true).map(
        ({ name }) => name,
      );
    expect(shown({ backend: 'hangs' })).toContain('timeout');
    expect(shown({ backend: 'refuses' })).not.toContain('timeout');
    expect(shown({ probe: 'backoff' })).toContain('longest');
    expect(shown({ retention: false })).not.toContain('items');
  });

  it('have a label each, and a title for each group', () => {
    for (const { label } of FIELDS) expect(label).not.toBe('');
    expect(new Set(FIELD_GROUPS.map(({ title }) => title)).size).toBe(FIELD_GROUPS.length);
  });
});

describe('the URL', () => {
  it('holds all settings', () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        expect(fromQuery(toQuery(settings))).toEqual(settings);
      }),
    );
  });

  it('holds nothing where they are the defaults', () => {
    expect(toQuery(DEFAULT_SETTINGS)).toBe('');
    expect(fromQuery('')).toEqual(DEFAULT_SETTINGS);
  });

  it('names what differs', () => {
    expect(toQuery({ ...DEFAULT_SETTINGS, backend: 'hangs', retention: false })).toBe(
      '?backend=hangs&retention=off',
    );
  });

  it('may hold anything', () => {
    expect(fromQuery('?rate=x&backend=&nothing=1&pace=-3')).toEqual({ ...DEFAULT_SETTINGS, pace: 1 });
    fc.assert(fc.property(fc.string(), (query) => void fromQuery(query)));
  });
});

describe('the presets', () => {
  it('have names of their own', () => {
    expect(new Set(PRESETS.map(({ id }) => id)).size).toBe(PRESETS.length);
    expect(new Set(PRESETS.map(({ label }) => label)).size).toBe(PRESETS.length);
    expect(new Set(PRESETS.map(({ settings }) => toQuery(settings))).size).toBe(PRESETS.length);
  });

  it('are the rows of the guide, which link to them', () => {
    const links = tableBetween('docs/guide/settings.md', 'presets').map(([first = '']) => {
      return /^\[.*\]\(\.\.\/playground\/index\.md(\?.*)\)$/.exec(first)?.[1];
    });
    expect(links).toEqual(PRESETS.map(({ settings }) => toQuery(settings)));
  });
});
