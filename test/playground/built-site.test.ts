import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DIST } from './site-pages.ts';

interface BuiltPage {
  /** Its address on the site. */
  readonly path: string;
  readonly ids: ReadonlySet<string>;
  readonly links: readonly string[];
}

/** VitePress itself fails on links to pages that are not there; it does not look at anchors. */
function builtPage(file: string): BuiltPage {
  const html = readFileSync(join(DIST, file), 'utf8');
  const values = (attribute: string): string[] =>
    [...html.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g'))].map(([, value]) =>
      (value as string).replaceAll('&amp;', '&'),
    );
  return { path: addressOf(file), ids: new Set(values('id')), links: values('href') };
}

/** `guide/index.html` is `/guide/`, `guide/concepts.html` is `/guide/concepts`. */
function addressOf(file: string): string {
  return `/${file.replace(/(^|\/)index\.html$/, '$1').replace(/\.html$/, '')}`;
}

it('the built site has no link to a page or an anchor that is not there', () => {
  const pages = globSync('**/*.html', { cwd: DIST }).map(builtPage);
  const byPath = new Map(pages.map((page) => [page.path, page]));
  const broken = pages.flatMap(({ path, links }) =>
    links
      .filter((link) => !/^([a-z]+:|\/\/)/.test(link))
      .filter((link) => {
        const { pathname, hash } = new URL(link, `http://site${path}`);
        const target = byPath.get(decodeURI(pathname));
        if (target === undefined) return !existsSync(join(DIST, pathname));
        return hash !== '' && !target.ids.has(decodeURIComponent(hash.slice(1)));
      })
      .map((link) => `${path}: ${link}`),
  );
  expect(pages.length).toBeGreaterThan(20);
  expect(broken).toEqual([]);
});
