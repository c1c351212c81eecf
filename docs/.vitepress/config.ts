import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DefaultTheme } from 'vitepress';
import { defineConfig } from 'vitepress';
import { githubSlug } from './github-slug.ts';
import { repositoryLinks } from './repository-links.ts';

const REPOSITORY = 'https://github.com/otel-circuit-breaker/otel-circuit-breaker';

/** Pages that are written by scripts, or that other documents link to by these names. */
const REWRITES = {
  'TELEMETRY.md': 'guide/operators.md',
  'attach.md': 'guide/attach.md',
  'disk.md': 'guide/disk.md',
  'BENCHMARKS.md': 'benchmarks/index.md',
  'COLLECTOR.md': 'benchmarks/collector.md',
  'COMPATIBILITY.md': 'reference/compatibility.md',
};

export default defineConfig({
  title: 'otel-circuit-breaker',
  description: 'A circuit breaker for OpenTelemetry exporters in JavaScript',
  // GitHub Pages serves a project below its name.
  base: process.env['DOCS_BASE'] ?? '/',
  lang: 'en-US',
  cleanUrls: true,
  rewrites: REWRITES,
  // What a reader has started by then.
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    // So that an anchor is the same here and on GitHub.
    anchor: { slugify: githubSlug },
    config: (md) => repositoryLinks(md, { repository: REPOSITORY, rewrites: REWRITES }),
  },
  // For older browsers, private fields become WeakMaps, and the playground ten times slower.
  vite: { build: { target: 'es2022', chunkSizeWarningLimit: 1_000 } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: REPOSITORY }],
    nav: [
      { text: 'Guide', link: '/guide/concepts', activeMatch: '/guide/' },
      { text: 'Playground', link: '/playground/' },
      { text: 'Reference', link: '/reference/options', activeMatch: '/reference/' },
      { text: 'Benchmarks', link: '/benchmarks/', activeMatch: '/benchmarks/' },
      { text: 'Internals', link: '/internals/rules', activeMatch: '/internals/' },
    ],
    sidebar: {
      '/guide/': [
        {
          text: 'Guide',
          items: existing([
            ['Concepts', 'guide/concepts.md'],
            ['Choosing settings', 'guide/settings.md'],
            ['Shutdown', 'guide/shutdown.md'],
            ['Retention and fallback', 'guide/retention.md'],
            ['Keeping data on disk', 'disk.md'],
            ['Without code: attach', 'attach.md'],
            ['For operators', 'TELEMETRY.md'],
            ['Serverless and frameworks', 'guide/serverless.md'],
            ['Exporters that tell the truth', 'guide/exporters.md'],
            ['Migrating', 'guide/migrating.md'],
          ]),
        },
      ],
      '/reference/': [
        {
          text: 'Reference',
          items: existing([
            ['Options', 'reference/options.md'],
            ['Policies', 'reference/policies.md'],
            ['Environment', 'reference/environment.md'],
            ['Metrics', 'reference/metrics.md'],
            ['Errors', 'reference/errors.md'],
            ['Causes', 'reference/causes.md'],
            ['Compatibility', 'COMPATIBILITY.md'],
          ]),
        },
        { text: 'API', collapsed: true, items: apiSidebar() },
      ],
      '/benchmarks/': [
        {
          text: 'Benchmarks',
          items: existing([
            ['What it costs and brings', 'BENCHMARKS.md'],
            ['Against a real Collector', 'COLLECTOR.md'],
          ]),
        },
      ],
      '/internals/': [
        {
          text: 'Internals',
          items: existing([
            ['The rules', 'internals/rules.md'],
            ['The way of a batch', 'internals/way-of-a-batch.md'],
          ]),
        },
      ],
    },
  },
});

/** Sidebar items of the pages that are there, under the address that they have on the site. */
function existing(pages: readonly (readonly [text: string, file: string])[]): DefaultTheme.SidebarItem[] {
  return pages
    .filter(([, file]) => existsSync(inDocs(file)))
    .map(([text, file]) => {
      const page = (REWRITES as Record<string, string>)[file] ?? file;
      return { text, link: `/${page.replace(/(index)?\.md$/, '')}` };
    });
}

/** What typedoc has written; nothing where it has not run. */
function apiSidebar(): DefaultTheme.SidebarItem[] {
  const file = inDocs('reference/api/typedoc-sidebar.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as DefaultTheme.SidebarItem[]) : [];
}

function inDocs(file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url));
}
