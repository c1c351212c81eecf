import { expect, it } from 'vitest';
import { between } from './markdown.ts';
import { asSection, GUIDE, printedByTune } from './tune-table.ts';

it('shows both tables that `npm run tune` prints (else: node test/docs/tune-table.ts --write)', async () => {
  const section = asSection(await printedByTune());
  expect(section.split('\n').length).toBeGreaterThan(60);
  for (const kind of ['probe policy', 'trip policy']) expect(section).toContain(`| ${kind} |`);
  expect(between(GUIDE, 'tune').trim()).toBe(section);
});
