import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeName, newFolderName, parseFolderName, unescapeName } from '../../../src/disk/folder-name.ts';

const owner = { world: '0123456789abcdef', pid: 4711, startedAt: '8812345' };

describe('the name of a folder', () => {
  it('says whose it is', () => {
    const name = newFolderName('shop%2Ftraces', owner);
    expect(name).toMatch(/^shop%2Ftraces\.0123456789abcdef-4711-8812345\.[0-9a-f]{12}\.spool$/);
    expect(parseFolderName(name)).toEqual({ exporter: 'shop%2Ftraces', owner });
  });

  it('says that it is free', () => {
    const name = newFolderName('traces', undefined);
    expect(name).toMatch(/^traces\.free\.[0-9a-f]{12}\.spool$/);
    expect(parseFolderName(name)).toEqual({ exporter: 'traces', owner: undefined });
  });

  it('says what is not known of its owner', () => {
    const unknown = { world: '', pid: 1, startedAt: '' };
    expect(parseFolderName(newFolderName('traces', unknown))).toEqual({ exporter: 'traces', owner: unknown });
  });

  it('is never the same twice', () => {
    expect(newFolderName('a', owner)).not.toBe(newFolderName('a', owner));
  });

  it.each([
    'traces',
    'traces.spool',
    'lost+found',
    '.traces.free.0123456789ab.spool',
    'traces.free.0123456789ab.spool.bak',
    '../traces.free.0123456789ab.spool',
    'traces.0123456789abcdef--1-2.0123456789ab.spool',
    'traces.0123456789abcdef-99999999999-2.0123456789ab.spool',
  ])('is no name of ours: %s', (name) => {
    expect(parseFolderName(name)).toBeUndefined();
  });
});

describe("an exporter's name in the name of a folder", () => {
  it('can be any string, and is its own', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), {
      minLength: 2,
      maxLength: 2,
    });
    fc.assert(
      fc.property(names, ([a = '', b = '']) => {
        const escaped = escapeName(a);
        expect(parseFolderName(newFolderName(escaped, owner))?.exporter).toBe(escaped);
        expect(newFolderName(escaped, owner).length).toBeLessThan(255);
        expect(escaped).not.toBe(escapeName(b));
      }),
    );
  });

  it('comes back for people to read', () => {
    for (const name of ['traces', 'shop/traces', 'a.b', "!~*'()", 'ü 🚀', '..', '%2F', 'CON']) {
      expect(unescapeName(escapeName(name))).toBe(name);
    }
    expect(unescapeName(escapeName('x'.repeat(200)))).toBe(`${'x'.repeat(103)}…`);
    expect(unescapeName(escapeName('ü'.repeat(200)))).toMatch(/~|…/);
    expect(escapeName('a\ud800')).toBe('a%EF%BF%BD');
  });
});
