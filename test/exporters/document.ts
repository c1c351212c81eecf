import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CellResult } from '../compat/cell.ts';
import { root } from '../compat/places.ts';
import type { Exporter } from './exporters.ts';
import { exporters, SITUATIONS } from './exporters.ts';
import type { Seen } from './measure.ts';
import type { Row } from './outcome.ts';
import { isBlind, outcomeOf, seconds } from './outcome.ts';
import type { Mode } from './receiver.ts';

const FILE = join(root, 'docs', 'guide', 'exporters.md');
const LONGEST_MESSAGE = 72;
const REMEDY = 'remedy · ';
const NO_EXPORTER = 'no exporter · ';

/** Writes the three tables, and leaves the rest of the page as it is. */
export function writeDocs(rows: readonly Row[], results: readonly CellResult[]): void {
  const order = exporters.map(({ title }) => title);
  const sorted = [...rows].sort((a, b) => order.indexOf(a.exporter.title) - order.indexOf(b.exporter.title));
  let page = readFileSync(FILE, 'utf8');
  page = withSection(page, 'summary', summary(sorted, results));
  page = withSection(page, 'remedies', remedies(results));
  page = withSection(page, 'answers', answers(sorted));
  writeFileSync(FILE, page);
}

/** The exporters that the committed page does not show. */
export function staleInDocs(all: readonly Exporter[]): string[] {
  const page = readFileSync(FILE, 'utf8');
  return all.map(({ title }) => title).filter((title) => !page.includes(`\n| ${title} | `));
}

function withSection(page: string, name: string, lines: readonly string[]): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/guide/exporters.md has no section ${name}`);
  return `${page.slice(0, from + begin.length)}\n\n${lines.join('\n')}\n\n${page.slice(to)}`;
}

function summary(rows: readonly Row[], results: readonly CellResult[]): string[] {
  const day = new Date().toISOString().slice(0, 10);
  return [
    `Seen on ${day}, on Node ${process.versions.node}.`,
    '',
    `| exporter | package | tells the truth | ${SITUATIONS.join(' | ')} | \`shutdown()\` in a hang: alone, with a breaker |`,
    `| --- | --- | --- | ${SITUATIONS.map(() => '---').join(' | ')} | --- |`,
    ...rows.map(({ exporter, version, seen }) => {
      const { title, packageName, uses } = exporter;
      const hang = seen.get('hang');
      const shutdown =
        hang === undefined ? '' : `${seconds(hang.bareShutdownMillis)}, ${seconds(hang.shutdownMillis)}`;
      const from = `\`${packageName}\` ${version}${uses === undefined ? '' : `; ${uses}`}`;
      const cells = SITUATIONS.map((situation) => short(seen.get(situation)));
      return `| ${title} | ${from} | ${verdict(seen)} | ${cells.join(' | ')} | ${shutdown} |`;
    }),
    ...results
      .filter(({ name }) => name.startsWith(NO_EXPORTER))
      .map(({ name, report }) => {
        const empty = SITUATIONS.map(() => '').join(' | ');
        const from = `${packagesOf(report)}; ${report?.detail ?? ''}`;
        return `| ${name.slice(NO_EXPORTER.length)} | ${from} | has no exporter | ${empty} | |`;
      }),
  ];
}

function short(seen: Seen | undefined): string {
  if (seen === undefined) return '';
  if (isBlind(seen)) return `**SUCCESS** after ${seconds(seen.millis)}`.replace('after at once', 'at once');
  return [seen.classification, ...(seen.cause === null ? [] : [seen.cause]), seconds(seen.millis)].join(', ');
}

function verdict(seen: ReadonlyMap<Mode, Seen>): string {
  const blind = [...seen].filter(([, result]) => isBlind(result)).map(([situation]) => situation);
  const asked = SITUATIONS.filter((situation) => blind.includes(situation));
  if (asked.length === 0) return 'yes';
  if (asked.length === seen.size) return '**no**';
  return `**not** for ${asked.join(', ')}`;
}

function remedies(results: readonly CellResult[]): string[] {
  return [
    '| tried | package | seen |',
    '| --- | --- | --- |',
    ...results
      .filter(({ name }) => name.startsWith(REMEDY))
      .map(
        ({ name, report }) =>
          `| ${name.slice(REMEDY.length)} | ${packagesOf(report)} | ${report?.detail ?? ''} |`,
      ),
  ];
}

function packagesOf(report: CellResult['report']): string {
  return Object.entries(report?.versions ?? {})
    .map(([name, version]) => `\`${name}\` ${version}`)
    .join(', ');
}

function answers(rows: readonly Row[]): string[] {
  return [
    '| exporter | situation | answers | after | error | counted as | `shutdown()` alone | with a breaker |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.flatMap(({ exporter, seen }) =>
      SITUATIONS.flatMap((situation) => {
        const result = seen.get(situation);
        return result === undefined ? [] : [answerLine(exporter.title, situation, result)];
      }),
    ),
  ];
}

function answerLine(title: string, situation: Mode, seen: Seen): string {
  const cells = [
    title,
    situation,
    seen.answer,
    seconds(seen.millis),
    errorText(seen.error),
    outcomeOf(seen),
    seconds(seen.bareShutdownMillis),
    seconds(seen.shutdownMillis),
  ];
  return `| ${cells.join(' | ')} |`;
}

function errorText(error: Seen['error']): string {
  if (error === undefined) return '';
  const { name, code, message } = error;
  const text = message
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1')
    .replaceAll(/[`|\s]+/g, ' ')
    .trim();
  const cut = text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}…` : text;
  return `\`${name}\`${code === null ? '' : ` \`${code}\``}${cut === '' ? '' : ` \`${cut}\``}`;
}
