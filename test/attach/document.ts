import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CellResult } from '../compat/cell.ts';
import { root } from '../compat/places.ts';
import { versionText } from '../compat/report.ts';

const FILE = join(root, 'docs', 'COMPATIBILITY.md');
const BEGIN = '<!-- attach: begin -->';
const END = '<!-- attach: end -->';

/** The section with its marks, empty where there is none. */
export function attachSection(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  return begin < 0 || end < begin ? '' : page.slice(begin, end + END.length);
}

/** Writes the section, and leaves the rest of the page as it is. */
export function writeDocs(results: readonly CellResult[]): void {
  const page = readFileSync(FILE, 'utf8');
  const before = attachSection(page);
  const now = `${BEGIN}\n\n${section(results)}\n${END}`;
  // A function: `$` in the text would mean something.
  writeFileSync(FILE, before === '' ? `${page.trimEnd()}\n\n${now}\n` : page.replace(before, () => now));
}

/** The cells that the committed page does not show. */
export function staleInDocs(names: readonly string[]): string[] {
  const text = readFileSync(FILE, 'utf8');
  return names.filter((name) => !text.includes(`| ${name} |`));
}

function section(results: readonly CellResult[]): string {
  const day = new Date().toISOString().slice(0, 10);
  return [
    '## Attach',
    '',
    '<!-- Written by `npm run test:attach -- --write-docs`. -->',
    '',
    `What \`otel-circuit-breaker/attach\` does in set-ups that know nothing of it, seen on ${day}. In the first outage the`,
    'receiver is killed under traffic and comes back. The exporters time out after 1.5 s, and the first pause before a probe',
    'is 0.3 s. Every span and log record has a number, and all of them must arrive. In the second outage SIGTERM comes two',
    'seconds after the receiver was killed, with the default time-outs and retries of the exporters. The time is the one to',
    "the end of the distribution's own `shutdown()`.",
    '',
    '| Cell | Versions | Seen |',
    '| --- | --- | --- |',
    ...results.map(
      ({ name, report }) => `| ${name} | ${versionText(report?.versions ?? {})} | ${report?.detail ?? ''} |`,
    ),
    '',
  ].join('\n');
}
