import { existsSync, readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Page } from './markdown.ts';
import { allPages, anchors, ROOT, readPage } from './markdown.ts';

interface Link {
  readonly where: string;
  readonly target: string;
}

function links({ file, prose }: Page): Link[] {
  return prose.flatMap((line, index) => {
    const text = line.replaceAll(/`[^`]*`/g, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)|<(https?:[^>]+)>/g)];
    return targets.map(([, inline, bare]) => ({
      where: `${file}:${index + 1}`,
      target: inline ?? (bare as string),
    }));
  });
}

/** What is wrong with a link, `undefined` when nothing is. Looks at nothing outside the repository. */
function problem(from: string, target: string): string | undefined {
  if (/^https?:/.test(target)) return URL.canParse(target) ? undefined : 'no URL';
  const [path = '', anchor] = target.replace(/\?[^#]*/, '').split('#');
  const file = path === '' ? from : normalize(`${dirname(from)}/${path}`);
  if (!existsSync(`${ROOT}/${file}`)) return 'no such file';
  if (anchor === undefined) return undefined;
  if (!file.endsWith('.md')) return 'an anchor into what is no page';
  return anchors(readPage(file)).includes(anchor) ? undefined : 'no such heading';
}

function broken(page: Page): string[] {
  return links(page).flatMap(({ where, target }) => {
    const what = problem(page.file, target);
    return what === undefined ? [] : [`${where}: ${target}: ${what}`];
  });
}

describe('links', () => {
  it.each(allPages())('of $file lead somewhere', (page) => {
    expect(broken(page)).toEqual([]);
  });

  it('are found, the broken ones too', () => {
    const prose = [
      '# A `b()`, c',
      '[x](#a-b-c) [y](nowhere.md) `[z](z)`',
      '[v](README.md#nothing) <http://x>',
    ];
    expect(links({ file: 'README.md', prose, blocks: [] })).toHaveLength(4);
    expect(anchors({ file: 'README.md', prose, blocks: [] })).toEqual(['a-b-c']);
    expect(problem('README.md', 'nowhere.md')).toBe('no such file');
    expect(problem('README.md', 'docs/TELEMETRY.md#nothing')).toBe('no such heading');
    expect(problem('docs/TELEMETRY.md', '../README.md#install')).toBeUndefined();
  });

  it('in the annotations of the alerts lead to a heading of the guide', () => {
    const rules = readFileSync(`${ROOT}/examples/monitoring/rules.yml`, 'utf8');
    const runbooks = [...rules.matchAll(/runbook: (\S+)/g)].map((match) => match[1] as string);
    expect(runbooks).toHaveLength(7);
    expect(runbooks.filter((runbook) => problem('README.md', runbook) !== undefined)).toEqual([]);
  });
});
