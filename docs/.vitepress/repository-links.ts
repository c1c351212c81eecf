import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MarkdownRenderer } from 'vitepress';

const DOCS = fileURLToPath(new URL('..', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface RepositoryLinksOptions {
  /** Where the repository is shown. */
  readonly repository: string;
  /** Sources of pages and the address that they have on the site. */
  readonly rewrites: Readonly<Record<string, string>>;
}

/**
 * Links are written as they work in the repository, from file to file. On the site, those to pages lead to the page's
 * address there, and those to other files of the repository lead to GitHub.
 */
export function repositoryLinks(
  md: MarkdownRenderer,
  { repository, rewrites }: RepositoryLinksOptions,
): void {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    // `path` is where a rewrite puts the page.
    const { realPath, path } = env as { readonly realPath?: string; readonly path?: string };
    const source = realPath ?? path;
    if (source === undefined) return;
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href !== null && !/^([a-z]+:|#|\/)/i.test(href))
        token.attrSet('href', onSite(href, dirname(source)));
    }
  });

  function onSite(href: string, folder: string): string {
    const [, target = '', rest = ''] = /^([^?#]*)(.*)$/.exec(href) ?? [];
    const file = resolve(folder, decodeURIComponent(target));
    if (file.startsWith(DOCS) && file.endsWith('.md')) {
      const page = slashed(relative(DOCS, file));
      return `/${rewrites[page] ?? page}${rest}`;
    }
    return `${repository}/blob/main/${slashed(relative(ROOT, file))}${rest}`;
  }
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}
