import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

/** Where `npm run docs:build` puts the site. */
export const DIST = fileURLToPath(new URL('../../docs/.vitepress/dist', import.meta.url));

/** Where the pages seem to be. Nothing listens there: the browser gets every file from the test. */
export const ORIGIN = 'http://localhost';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Debian's Chromium. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** A page of the built site, and what it asked for. */
export interface SitePage {
  readonly page: Page;
  /** Every URL that was requested, in order. */
  readonly requests: string[];
  /** What the page complained about. */
  readonly errors: string[];
}

/** @param path - from the root of the site, query included */
export async function openPage(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<SitePage> {
  if (!existsSync(DIST)) throw new Error(`no ${DIST}: build the site first, with npm run docs:build`);
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await context.route('**/*', async (route) => {
    const url = new URL(route.request().url());
    requests.push(url.href);
    const file = url.origin === ORIGIN ? fileOf(url.pathname) : undefined;
    if (file === undefined) await route.abort();
    else await route.fulfill({ body: readFileSync(file), contentType: TYPES[extname(file)] ?? 'text/plain' });
  });
  await page.goto(`${ORIGIN}${path}`);
  return { page, requests, errors };
}

/** As GitHub Pages finds it. */
function fileOf(pathname: string): string | undefined {
  const path = join(DIST, pathname);
  return [path, `${path}.html`, join(path, 'index.html')].find(
    (file) => extname(file) !== '' && existsSync(file),
  );
}
