import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRESETS } from '../../docs/playground/simulation/presets.ts';
import { runSimulation } from '../../docs/playground/simulation/run-simulation.ts';
import type { Settings } from '../../docs/playground/simulation/settings.ts';
import { DEFAULT_SETTINGS } from '../../docs/playground/simulation/settings.ts';
import { settingsCode } from '../../docs/playground/simulation/settings-code.ts';
import { toQuery } from '../../docs/playground/simulation/settings-url.ts';
import { secondsOf } from '../../docs/playground/view/clock-time.ts';
import { simulateOutage } from '../../src/testing/simulate-outage.ts';
import { asOutage } from './as-outage.ts';
import type { SitePage } from './site-pages.ts';
import { launchChromium, ORIGIN, openPage } from './site-pages.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const THEMES: readonly (readonly [name: string, options: BrowserContextOptions])[] = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['narrow', { viewport: { width: 400, height: 800 } }],
  ['narrow and dark', { viewport: { width: 400, height: 800 }, colorScheme: 'dark' }],
];

/** What is read of axe's results. */
interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

async function openPlayground(
  different: Partial<Settings> = {},
  options?: BrowserContextOptions,
): Promise<SitePage & AsyncDisposable> {
  const opened = await openPage(
    browser,
    `/playground/${toQuery({ ...DEFAULT_SETTINGS, ...different })}`,
    options,
  );
  await opened.page.waitForSelector('[data-results]');
  return { ...opened, [Symbol.asyncDispose]: () => opened.page.context().close() };
}

/** The numbers of a page as `simulateOutage` has them. */
async function shown({ page }: SitePage) {
  const fact = (name: string) => page.locator(`[data-fact=${name}]`).textContent();
  const batches = async (name: string) => {
    const cell = page.locator(`[data-total=guarded-${name}] [data-batches]`);
    // What is 0 with the library and without has no row.
    return (await cell.count()) === 0 ? 0 : number(await cell.textContent());
  };
  return {
    opened: await fact('opened'),
    closed: await fact('closed'),
    probes: number(await fact('probes')),
    rejected: number(await fact('rejected')),
    delivered: await batches('delivered'),
    lost: await batches('lost'),
  };
}

function number(text: string | null): number {
  return Number((text ?? '').trim().split(/\s/)[0]?.replaceAll(',', ''));
}

function simulated(settings: Settings) {
  const { openedAfterMillis, closedAfterMillis, probes, rejected, delivered, lost } = simulateOutage(
    asOutage(settings),
  );
  return {
    opened: secondsOf(openedAfterMillis),
    closed: secondsOf(closedAfterMillis),
    probes,
    rejected,
    delivered,
    lost,
  };
}

describe('the numbers on the page', () => {
  it.each([
    ['the defaults', {}],
    ['gRPC', { fail: 0 }],
    ['no retention', { retention: false }],
    ['a retention that is full', { items: 40 }],
    ['a rate of failures, and every 3rd batch', { trip: 'rate', window: 30, probe: 'nth', nth: 3 }],
    ['a growing pause in an hour', { minutes: 60, length: 900, probe: 'backoff' }],
    ['an outage that does not end', { length: 3_600 }],
  ] satisfies [string, Partial<Settings>][])('are those of simulateOutage: %s', async (_name, different) => {
    const settings: Settings = { ...DEFAULT_SETTINGS, spans: 1, queue: 0, ...different };
    await using playground = await openPlayground(settings);
    expect(await shown(playground)).toEqual(simulated(settings));
    expect(playground.errors).toEqual([]);
  });

  it('are those of the run, in spans, with the library and without', async () => {
    await using playground = await openPlayground({ retention: false });
    const { guarded, bare } = runSimulation({ ...DEFAULT_SETTINGS, retention: false });
    const cell = (name: string) => playground.page.locator(`[data-total=${name}]`).textContent();
    expect(number(await cell('guarded-lost'))).toBe(guarded.account.lost.items);
    expect(number(await cell('bare-lost'))).toBe(bare.account.lost.items);
    expect(number(await cell('bare-requests'))).toBe(bare.requests);
    expect(await playground.page.locator('.pg-outcome').textContent()).toBe(
      'Of 48,000 spans, 13,100 were lost with the library, 10,800 without it.',
    );
  });

  it('come in less than 100 ms for an hour', async () => {
    await using playground = await openPlayground({ minutes: 60, rate: 4, spans: 500 });
    const { page } = playground;
    const cdp = await page.context().newCDPSession(page);
    // Time of the page's thread: the machine has other things to do.
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
    const scriptMillis = async () => {
      const { metrics } = await cdp.send('Performance.getMetrics');
      return 1_000 * (metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? Number.NaN);
    };
    const took: number[] = [];
    for (const length of ['70', '80', '90', '100', '110']) {
      const before = await scriptMillis();
      await page.fill('input[name=length]', length);
      await page.keyboard.press('Enter');
      await page.waitForFunction(
        `document.querySelector('.pg-step-sentence').textContent.includes('${length} s')`,
      );
      took.push((await scriptMillis()) - before);
    }
    expect(Math.min(...took)).toBeLessThan(100);
  });
});

describe('the settings', () => {
  it('are in the URL, and come back with it', async () => {
    await using playground = await openPlayground();
    const { page } = playground;
    await page.selectOption('select[name=backend]', 'hangs');
    await page.fill('input[name=rate]', '4');
    await page.keyboard.press('Tab');
    await page.uncheck('input[name=retention]');
    const changed: Settings = { ...DEFAULT_SETTINGS, backend: 'hangs', rate: 4, retention: false };
    expect(new URL(page.url()).search).toBe(toQuery(changed));
    const before = await shown(playground);
    await page.reload();
    await page.waitForSelector('[data-results]');
    expect(await shown(playground)).toEqual(before);
    expect(await page.inputValue('select[name=backend]')).toBe('hangs');
    expect(await page.isChecked('input[name=retention]')).toBe(false);
  });

  it('stay in their range', async () => {
    await using playground = await openPlayground();
    await playground.page.fill('input[name=rate]', '1000');
    await playground.page.keyboard.press('Enter');
    expect(await playground.page.inputValue('input[name=rate]')).toBe('10');
  });

  it.each(PRESETS)('can be those of a preset: $label', async ({ id, settings }) => {
    await using playground = await openPlayground();
    const { page } = playground;
    await page.selectOption('.pg-preset select', id);
    expect(new URL(page.url()).search).toBe(toQuery(settings));
    expect(await page.locator('.pg-code code').textContent()).toBe(settingsCode(settings));
    expect(playground.errors).toEqual([]);
  });

  it('can be copied as code', async () => {
    await using playground = await openPlayground({ probe: 'backoff' });
    const { page } = playground;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN });
    await page.click('.pg-code button');
    await page.waitForSelector('.pg-code [role=status]:has-text("Copied")');
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      settingsCode({ ...DEFAULT_SETTINGS, probe: 'backoff' }),
    );
  });
});

describe('the page', () => {
  it('asks nobody but its own site, and nobody at all once it is there', async () => {
    await using playground = await openPlayground();
    const { page, requests } = playground;
    await page.waitForLoadState('networkidle');
    expect(requests.filter((url) => !url.startsWith(`${ORIGIN}/`))).toEqual([]);
    const before = requests.length;
    await page.selectOption('.pg-preset select', 'hanging');
    await page.selectOption('select[name=backend]', 'slow');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.waitForLoadState('networkidle');
    expect(requests.slice(before)).toEqual([]);
  });

  it('tells the outage step by step, by keyboard', async () => {
    await using playground = await openPlayground();
    const { page } = playground;
    const step = page.locator('[data-step]');
    expect(await step.textContent()).toContain('The incident begins');
    await page.focus('input[aria-label=Step]');
    await page.keyboard.press('ArrowRight');
    expect(await step.textContent()).toContain('3 exports in a row failed (ECONNREFUSED)');
    expect(await page.getAttribute('input[aria-label=Step]', 'aria-valuetext')).toContain(
      'The circuit opens',
    );
    await page.keyboard.press('End');
    expect(await step.textContent()).toContain('The run ends');
    expect(await page.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Back' }).focus();
    await page.keyboard.press('Enter');
    expect(await step.textContent()).toContain('The backlog is gone');
  });

  it('can be used with the Tab key alone', async () => {
    await using playground = await openPlayground();
    const { page } = playground;
    await page.focus('.pg-preset select');
    const reached = new Set<string>();
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      reached.add(
        await page.evaluate<string>(
          `(({ activeElement: at }) => at.getAttribute('name') ?? at.getAttribute('aria-label') ?? at.textContent.trim())(document)`,
        ),
      );
    }
    for (const name of [
      'rate',
      'backend',
      'trip',
      'retention',
      'Reset',
      'Step',
      'Next',
      'Copy',
      'Code for these settings',
    ])
      expect([...reached]).toContain(name);
  });

  it.each(THEMES)('has nothing that axe finds fault with: %s', async (_name, options) => {
    await using playground = await openPlayground({}, options);
    const { page } = playground;
    await page.evaluate(AXE);
    // The button of the search is VitePress's own.
    const { violations } = await page.evaluate<AxeResults>("axe.run({ exclude: [['.DocSearch']] })");
    expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
  });

  it.each(THEMES)('is no wider than its window: %s', async (_name, options) => {
    await using playground = await openPlayground({}, options);
    const { page } = playground;
    await page.click('text=The timeline as a table');
    const { scroll, client } = await page.evaluate<{ scroll: number; client: number }>(
      '({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth })',
    );
    expect(scroll).toBe(client);
    expect(playground.errors).toEqual([]);
  });

  it('draws in the colors of the theme, also when that changes', async () => {
    await using playground = await openPlayground();
    const { page } = playground;
    const canvas = page.locator('.pg-canvas canvas').first();
    const light = await canvas.screenshot();
    await page.evaluate("document.documentElement.classList.add('dark')");
    await page.waitForTimeout(100);
    expect((await canvas.screenshot()).equals(light)).toBe(false);
  });
});
