import { deepStrictEqual } from 'node:assert';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build, version as esbuildVersion } from 'esbuild';
import type { BrowserContext, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Cell } from './cell.ts';
import { CannotRun } from './cell.ts';
import type { CorsFront } from './cors-front.ts';
import { corsFront } from './cors-front.ts';
import { installApp, installedVersions } from './install-app.ts';
import type { SdkLine } from './lines.ts';
import { lines, title } from './lines.ts';
import { newFolder } from './scratch.ts';

/** A page in a real browser, bundled with the exporter for browsers of each line. */
export function browserCells(of: readonly SdkLine[] = lines): Cell[] {
  return of.map((line) => ({
    name: `browser · ${title(line)} · Chromium · otlp-http · npm`,
    async run() {
      const executable = browserExecutable();
      const { folder, manager } = await installApp(line, 'npm');
      const script = await bundle(folder);
      await using receiver = await startReceiver({ protocol: 'http' });
      await using front = await corsFront(receiver.url);
      await using site = await serve(script);
      await using browser = await launch(executable);
      const { delivered, version } = await liveThrough(browser.context, site.url, front);
      const { spans } = await receiver.stats();
      deepStrictEqual(spans, delivered, "the receiver's spans are the exporter's successes");
      return {
        versions: { chromium: version, ...installedVersions(folder), esbuild: esbuildVersion, manager },
        detail: `${delivered} spans; bundle of ${(script.length / 1_024).toFixed(0)} KiB`,
      };
    },
  }));
}

const EXECUTABLES = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/google-chrome'];

function browserExecutable(): string {
  const found = EXECUTABLES.find((path) => path !== undefined && existsSync(path));
  if (found === undefined)
    throw new CannotRun('no Chromium here: apt-get install -y chromium, or set CHROMIUM_PATH');
  return found;
}

/** Fails on whatever does not exist in a browser, such as a built-in of Node. */
async function bundle(folder: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: [join(folder, 'page.mjs')],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

interface WindowOfPage {
  readonly compat: {
    start(url: string): void;
    snapshot(): Seen;
    stop(): Promise<Seen>;
  };
}

interface Seen {
  readonly state: string;
  readonly items: { readonly success: number; readonly rejected: number };
}

async function liveThrough(
  context: BrowserContext,
  url: string,
  front: CorsFront,
): Promise<{ delivered: number; version: string }> {
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(
    (to) => (globalThis as unknown as WindowOfPage).compat.start(to),
    `${front.url}/v1/traces`,
  );
  await pageSees(
    page,
    'the circuit open, and batches rejected',
    (s) => s.state === 'OPEN' && s.items.rejected > 0,
  );
  await front.rise();
  await pageSees(
    page,
    'the circuit closed, and spans delivered',
    (s) => s.state === 'CLOSED' && s.items.success > 0,
  );
  const last = await page.evaluate(() => (globalThis as unknown as WindowOfPage).compat.stop());
  return { delivered: last.items.success, version: context.browser()?.version() ?? 'of unknown version' };
}

async function pageSees(page: Page, what: string, holds: (seen: Seen) => boolean): Promise<void> {
  const look = (): Promise<Seen> =>
    page.evaluate(() => (globalThis as unknown as WindowOfPage).compat.snapshot());
  let last: Seen | undefined;
  await waitFor(
    async () => {
      last = await look();
      return holds(last);
    },
    { what, timeoutMillis: 30_000, intervalMillis: 50 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}; the page's last snapshot: ${JSON.stringify(last)}`);
  });
}

/** Without its calls home, which a closed network refuses many at a time. */
const SILENT_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

async function launch(executablePath: string): Promise<AsyncDisposable & { context: BrowserContext }> {
  const context = await chromium.launchPersistentContext(newFolder('chromium'), {
    executablePath,
    headless: true,
    args: SILENT_FLAGS,
    // The runner ends itself, and the browser with it.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  return { context, [Symbol.asyncDispose]: () => context.close() };
}

async function serve(script: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    const isPage = request.url === '/';
    response.setHeader('Content-Type', isPage ? 'text/html' : 'text/javascript');
    response.end(isPage ? '<!doctype html><title>compat</title><script src="/page.js"></script>' : script);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
