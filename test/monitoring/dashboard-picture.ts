/**
 * Draws the dashboard as it looks after an outage, from the same queries as Grafana, answered by a real Prometheus that has
 * scraped a real service: `docs/dashboard.svg`. Needs `prometheus` and a build of the library.
 *
 *     npm run build && node test/monitoring/dashboard-picture.ts
 */
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startReceiver } from '../support/receiver-process.ts';
import type { PanelData } from './draw-panel.ts';
import { drawPanel } from './draw-panel.ts';
import type { DashboardPanel } from './pack.ts';
import { dashboard, filledIn } from './pack.ts';
import type { PrometheusProcess } from './prometheus-process.ts';
import { startPrometheus } from './prometheus-process.ts';
import { startService } from './start-service.ts';

const FILE = fileURLToPath(new URL('../../docs/dashboard.svg', import.meta.url));

/** Seconds, and how the collector behaves in them. */
const STORY = [
  { mode: 'healthy', seconds: 20 },
  { mode: 'hang', seconds: 20 },
  { mode: 'status:503', seconds: 10 },
  { mode: 'healthy', seconds: 30 },
] as const;
const STEP_SECONDS = 1;

const COLUMN_PIXELS = 50;
const ROW_PIXELS = 30;
const HEADER_PIXELS = 44;

async function main(): Promise<void> {
  await using receiver = await startReceiver({ protocol: 'http' });
  await using service = await startService(receiver.endpoint('traces'));
  await using prometheus = await startPrometheus({ job: 'shop', target: service.target });
  const start = Date.now() / 1_000;
  for (const { mode, seconds } of STORY) {
    await receiver.mode(mode);
    await sleep(seconds * 1_000);
  }
  const { title, panels } = dashboard();
  const drawn = await Promise.all(
    panels.map(async (panel) => drawPanel(panel, await dataOf(panel, prometheus, start), ...sizeOf(panel))),
  );
  await writeFile(FILE, page(title, panels, drawn));
  console.log(`${FILE}: ${panels.length} panels`);
}

/** The answers to the queries of a panel that are shown. */
async function dataOf(
  panel: DashboardPanel,
  prometheus: PrometheusProcess,
  start: number,
): Promise<PanelData> {
  const end = Date.now() / 1_000;
  const range = `${Math.round(end - start)}s`;
  const shown = panel.targets.filter(({ hide }) => hide !== true);
  const ask = shown.map(async ({ expr, legendFormat }) => {
    const query = filledIn(expr, '5s', range);
    const isInstant = panel.type === 'stat' || panel.type === 'table';
    const series = isInstant
      ? (await prometheus.query(query)).map(({ metric, value }) => ({ metric, values: [value] }))
      : await prometheus.queryRange(query, start, end, STEP_SECONDS);
    return series.map(({ metric, values }) => ({
      metric,
      name: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '').trim(),
      points: values.map(([at, value]) => [at - start, Number(value)] as const),
    }));
  });
  return { series: (await Promise.all(ask)).flat(), seconds: end - start };
}

function sizeOf({ gridPos: { w, h } }: DashboardPanel): [width: number, height: number] {
  return [w * COLUMN_PIXELS - 8, h * ROW_PIXELS - 8];
}

/** All panels in their places; each is an SVG of its own. */
function page(title: string, panels: readonly DashboardPanel[], drawn: readonly string[]): string {
  const rows = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  const [width, height] = [24 * COLUMN_PIXELS, rows * ROW_PIXELS + HEADER_PIXELS];
  const placed = panels.map(({ gridPos: { x, y } }, index) => {
    const at = `translate(${x * COLUMN_PIXELS + 4} ${y * ROW_PIXELS + HEADER_PIXELS})`;
    return `<g transform="${at}">${drawn[index]}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#f4f5f5"/>`,
    `<text x="12" y="28" font-size="18" font-weight="bold" fill="#222">${title}</text>`,
    ...placed,
    '</svg>\n',
  ].join('\n');
}

await main();
