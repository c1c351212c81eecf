import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** A fenced block. */
export interface Block {
  readonly file: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** The first word of the info string. */
  readonly language: string;
  /** The rest of it. */
  readonly marker: string;
  readonly code: string;
}

/** What is read of a Markdown file: its lines without fenced blocks, and those. */
export interface Page {
  readonly file: string;
  /** Lines by number; what is in fences is empty. */
  readonly prose: readonly string[];
  readonly blocks: readonly Block[];
}

/** README and everything in docs that is not generated. */
export function pages(): Page[] {
  const docs = globSync('docs/**/*.md', { cwd: ROOT, exclude: ['docs/reference/api', 'docs/.vitepress'] });
  return ['README.md', ...docs].sort().map((file) => readPage(file));
}

/** The pages of the site whose code stands by itself. */
export function sitePages(): Page[] {
  return pages().filter(({ file }) => /^docs\/(guide|reference|internals)\//.test(file));
}

/** All pages that are written by hand or by a script, those of the examples and of the repository included. */
export function allPages(): Page[] {
  const examples = globSync('examples/*/README.md', { cwd: ROOT });
  const others = ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...examples];
  return [...pages(), ...others.sort().map((file) => readPage(file))];
}

/** @param file - from the root of the repository */
export function readPage(file: string): Page {
  const prose: string[] = [];
  const blocks: Block[] = [];
  let open: { fence: string; line: number; info: string; code: string[] } | undefined;
  for (const [index, line] of readFileSync(`${ROOT}/${file}`, 'utf8').split('\n').entries()) {
    const [, fence, info = ''] = line.match(/^ {0,3}(`{3,}|~{3,})(.*)$/) ?? [];
    if (open === undefined && fence !== undefined) {
      open = { fence, line: index + 1, info: info.trim(), code: [] };
    } else if (open !== undefined && fence === open.fence && info.trim() === '') {
      const [language = '', ...rest] = open.info.split(/\s+/);
      blocks.push({ file, line: open.line, language, marker: rest.join(' '), code: open.code.join('\n') });
      open = undefined;
    } else {
      open?.code.push(line);
      prose.push(open === undefined ? line : '');
      continue;
    }
    prose.push('');
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: the fence is never closed`);
  return { file, prose, blocks };
}

/** The anchors that GitHub makes of a page's headings. */
export function anchors({ prose }: Page): string[] {
  const seen = new Map<string, number>();
  return prose.flatMap((line) => {
    const [, heading] = line.match(/^#{1,6} +(.*?)(?: +#+)?$/) ?? [];
    if (heading === undefined) return [];
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = text.replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? [slug] : [`${slug}-${before}`];
  });
}

/** Cells of the table between `<!-- name:start -->` and `<!-- name:end -->`, without its head. */
export function tableBetween(file: string, name: string): string[][] {
  return between(file, name).trim().split('\n').slice(2).map(cells);
}

/** Cells of the table whose head begins so, without the head. @throws Error where there is none */
export function tableUnder(file: string, head: string): string[][] {
  const lines = readPage(file).prose;
  const start = lines.findIndex((line) => line.startsWith(head));
  if (start < 0) throw new Error(`${file} has no table ${head}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map(cells);
}

function cells(row: string): string[] {
  return row
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** The text between two markers. @throws Error where a marker is missing */
export function between(file: string, name: string): string {
  const [before, text] = cut(readFileSync(`${ROOT}/${file}`, 'utf8'), file, name);
  return text.slice(before.length);
}

/** A text with other text between its markers. */
export function withBetween(whole: string, file: string, name: string, text: string): string {
  const [before, upToEnd] = cut(whole, file, name);
  return `${before}\n${text}\n${whole.slice(upToEnd.length)}`;
}

function cut(whole: string, file: string, name: string): [string, string] {
  const start = whole.indexOf(`<!-- ${name}:start -->`);
  const end = whole.indexOf(`<!-- ${name}:end -->`);
  if (start < 0 || end < start) throw new Error(`${file} has no place for ${name}`);
  return [whole.slice(0, start + `<!-- ${name}:start -->`.length), whole.slice(0, end)];
}
