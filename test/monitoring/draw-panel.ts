import type { EChartsOption } from 'echarts';
import { init } from 'echarts';
import type { DashboardPanel } from './pack.ts';

/** A series as a panel shows it; `points` are seconds since the start of the story, and a value. */
export interface PanelSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly name: string;
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

export interface PanelData {
  readonly series: readonly PanelSeries[];
  /** The length of the story. */
  readonly seconds: number;
}

const TITLE_PIXELS = 26;
const STATES = [
  ['CLOSED', '#56a64b'],
  ['HALF_OPEN', '#f2cc0c'],
  ['OPEN', '#e02f44'],
] as const;
const COLORS = ['#3274d9', '#e02f44', '#56a64b', '#ff780a', '#a352cc', '#f2cc0c', '#37872d', '#8f3bb8'];

/** A panel with its title, as a part of an SVG. */
export function drawPanel(panel: DashboardPanel, data: PanelData, width: number, height: number): string {
  const inner = height - TITLE_PIXELS;
  return [
    `<rect width="${width}" height="${height}" rx="3" fill="#fff" stroke="#dcdee0"/>`,
    text(panel.title, 10, 18, 'font-size="13" font-weight="bold" fill="#333"'),
    `<g transform="translate(0 ${TITLE_PIXELS})">${content(panel, data, width, inner)}</g>`,
  ].join('');
}

function content(panel: DashboardPanel, data: PanelData, width: number, height: number): string {
  switch (panel.type) {
    case 'stat':
      return stat(panel, data, width, height);
    case 'table':
      return table(data, width);
    case 'state-timeline':
      return timeline(data, width, height);
    case 'heatmap':
      return chart(heatmap(data), width, height);
    default:
      return chart(lines(panel, data), width, height);
  }
}

function stat({ fieldConfig }: DashboardPanel, { series }: PanelData, width: number, height: number): string {
  const value = series[0]?.points.at(-1)?.[1] ?? 0;
  const place = `font-size="30" font-weight="bold" fill="#333" text-anchor="middle"`;
  return text(shown(value, fieldConfig.defaults.unit), width / 2, height / 2 + 10, place);
}

function shown(value: number, unit: string | undefined): string {
  switch (unit) {
    case 's':
      return `${value.toFixed(1)} s`;
    case 'percentunit':
      return `${(100 * value).toFixed(1)} %`;
    case 'dateTimeFromNow':
      return `${Math.max(0, Math.round(Date.now() / 1_000 - value / 1_000))} s ago`;
    default:
      return String(Math.round(value));
  }
}

function table({ series }: PanelData, width: number): string {
  const columns = ['job', 'name', 'cause', 'code'];
  const heads = ['Service', 'Circuit', 'Cause', 'Code', 'Instances'];
  const rows = series.map(({ metric, points }) => [
    ...columns.map((label) => metric[label] ?? ''),
    String(points[0]?.[1] ?? ''),
  ]);
  return [heads, ...rows]
    .flatMap((cells, row) =>
      cells.map((cell, column) =>
        text(
          cell,
          14 + (column * (width - 20)) / heads.length,
          22 + row * 24,
          `font-size="12" fill="#333"${row === 0 ? ' font-weight="bold"' : ''}`,
        ),
      ),
    )
    .join('');
}

function timeline({ series, seconds }: PanelData, width: number, height: number): string {
  const left = 240;
  const toX = (at: number) => left + (at / seconds) * (width - left - 12);
  const rowHeight = (height - 50) / series.length;
  const rows = series.map(({ metric, points }, row) => {
    const y = 6 + row * rowHeight;
    const changes = points.filter(([, value], index) => value !== points[index - 1]?.[1]);
    const bars = changes.map(([at, value], index) => {
      const until = changes[index + 1]?.[0] ?? seconds;
      const color = STATES[value as 0 | 1 | 2][1];
      return `<rect x="${toX(at).toFixed(1)}" y="${y}" width="${(toX(until) - toX(at)).toFixed(1)}" height="${rowHeight - 6}" fill="${color}"/>`;
    });
    const label = `${metric['job']} ${metric['name']}`;
    return text(label, 12, y + rowHeight / 2 + 2, 'font-size="12" fill="#333"') + bars.join('');
  });
  const legend = STATES.map(
    ([name, color], index) =>
      `<rect x="${left + index * 110}" y="${height - 22}" width="12" height="12" fill="${color}"/>${text(name, left + 18 + index * 110, height - 12, 'font-size="11" fill="#333"')}`,
  );
  return [...rows, ...legend].join('');
}

const BASE: EChartsOption = {
  animation: false,
  color: COLORS,
  textStyle: { fontFamily: 'sans-serif' },
};

function secondsAxis({ seconds }: PanelData) {
  const axisLabel = { formatter: '{value} s', showMaxLabel: false };
  return { type: 'value' as const, min: 0, max: Math.round(seconds), splitLine: { show: false }, axisLabel };
}

function lines({ fieldConfig }: DashboardPanel, data: PanelData): EChartsOption {
  const { unit, custom } = fieldConfig.defaults;
  const isStacked = custom?.stacking?.mode === 'normal';
  const isShare = unit === 'percentunit';
  // A rate that has no value for a moment is a gap; a stack needs a value everywhere.
  const times = [...new Set(data.series.flatMap(({ points }) => points.map(([at]) => at)))].sort(
    (a, b) => a - b,
  );
  return {
    ...BASE,
    // Without a browser the width of texts is a guess, and too small.
    legend: {
      bottom: 2,
      icon: 'roundRect',
      itemWidth: 12,
      itemHeight: 8,
      itemGap: 26,
      textStyle: { fontSize: 10 },
    },
    grid: { left: 55, right: 18, top: 12, bottom: data.series.length >= 5 ? 82 : 52 },
    xAxis: secondsAxis(data),
    yAxis: {
      type: 'value',
      min: 0,
      ...(isShare && { max: 1, axisLabel: { formatter: (value: number) => `${100 * value} %` } }),
    },
    series: data.series.map(({ name, points }) => ({
      name,
      type: 'line' as const,
      showSymbol: false,
      lineStyle: { width: 1.5 },
      data: isStacked
        ? times.map((time) => [round(time), round(points.find(([at]) => at === time)?.[1] ?? 0)])
        : points.map(([at, value]) => [round(at), Number.isFinite(value) ? round(value) : null]),
      ...(isStacked && { stack: 'all', areaStyle: { opacity: 0.4 } }),
    })),
  };
}

/** Buckets are cumulative: each cell has what the next lower one has not. */
function heatmap(data: PanelData): EChartsOption {
  const buckets = [...data.series].sort((a, b) => bound(a) - bound(b));
  const cells = buckets.flatMap(({ points }, row) =>
    points.map(([at, value]) => {
      const below = buckets[row - 1]?.points.find(([time]) => time === at)?.[1] ?? 0;
      return [String(Math.round(at)), row, round(Math.max(0, value - below))] as [string, number, number];
    }),
  );
  const most = Math.max(1, ...cells.map(([, , count]) => count));
  return {
    ...BASE,
    grid: { left: 55, right: 18, top: 12, bottom: 30 },
    xAxis: {
      type: 'category',
      data: Array.from({ length: Math.round(data.seconds) + 1 }, (_, second) => String(second)),
      axisLabel: { interval: 9, formatter: '{value} s' },
    },
    yAxis: { type: 'category', data: buckets.map(({ metric }) => `${metric['le']}`) },
    visualMap: { show: false, min: 0, max: most, inRange: { color: ['#fff', '#ffb070', '#d94801'] } },
    series: [{ type: 'heatmap', data: cells.filter(([, , count]) => count > 0) }],
  };
}

function bound({ metric }: PanelSeries): number {
  return Number((metric['le'] ?? '').replace('+Inf', 'Infinity'));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function chart(option: EChartsOption, width: number, height: number): string {
  const drawing = init(null, undefined, { renderer: 'svg', ssr: true, width, height });
  drawing.setOption(option);
  const svg = drawing.renderToSVGString();
  drawing.dispose();
  return svg;
}

function text(content: string, x: number, y: number, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped}</text>`;
}
