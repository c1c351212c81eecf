import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EntryState } from '../../src/delivery/retention-index.ts';
import { ROOT, tableBetween } from './markdown.ts';

const PAGE = 'docs/internals/way-of-a-batch.md';
const DELIVERY = `${ROOT}/src/delivery`;

/** Words in backticks. */
const words = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word as string);

const source = (file: string): string => readFileSync(`${DELIVERY}/${file}`, 'utf8');

describe('the way of a batch', () => {
  it('has the states of the source, and what they become', () => {
    const states: readonly EntryState[] = ['storing', 'handed over', 'waiting', 'sending', 'gone'];
    const rows = tableBetween(PAGE, 'entry-states').map(([state, , , becomes]) => [
      words(state)[0],
      words(becomes),
    ]);
    expect(rows.map(([state]) => state)).toEqual(states);
    const inSource = [...source('retention-index.ts').matchAll(/^ \* \| (`.*`) \|.*\| ([^|]*)\|$/gm)].map(
      ([, state, becomes]) => [words(state)[0], words(becomes)],
    );
    expect(rows).toEqual(inSource);
  });

  it('has every module, and what it imports of the others', () => {
    const modules = readdirSync(DELIVERY).map((file) => {
      const imports = [...source(file).matchAll(/from '\.\/([a-z-]+)\.ts'/g)].map(
        ([, name]) => name as string,
      );
      return [file.replace('.ts', ''), [...new Set(imports)].sort()];
    });
    const shown = tableBetween(PAGE, 'modules').map(([name, , knows]) => [words(name)[0], words(knows)]);
    expect(shown).toEqual(modules);
  });
});
