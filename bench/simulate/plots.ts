import type { EChartsOption } from 'echarts';
import { init } from 'echarts';

/** A named line of points. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** One of the diagrams that stand side by side in a plot. */
interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

export interface LinePlot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly panels: readonly Panel[];
  /** A dashed line across, at that height. */
  readonly goal?: number;
  readonly yMax?: number;
}

export interface BarPlot {
  readonly title: string;
  readonly x: string;
  readonly categories: readonly string[];
  readonly bars: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly goal: number;
}

const COLORS = ['#8c8c8c', '#1f77b4', '#d62728', '#9467bd', '#ff7f0e', '#17becf', '#2ca02c'];
const GREY = '#555';
const BASE: EChartsOption = {
  animation: false,
  backgroundColor: '#fff',
  color: COLORS,
  textStyle: { fontFamily: 'sans-serif' },
};

/** Lines in panels side by side, as SVG. */
export function linePlot({ title, x, y, panels, goal, yMax }: LinePlot): string {
  const width = 88 / panels.length;
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  return render(1_000, 440, {
    ...BASE,
    title: [
      { text: title, left: 'center', top: 8, textStyle: { fontSize: 16 } },
      ...panels.map((panel, index) => ({
        text: panel.title,
        left: `${6 + width * index + width / 2 - 1}%`,
        top: 72,
        textAlign: 'center' as const,
        textStyle: { fontSize: 13 },
      })),
    ],
    legend: { data: names, top: 38, icon: 'roundRect' },
    grid: panels.map((_, index) => ({
      left: `${6 + width * index}%`,
      width: `${width - 4}%`,
      top: 100,
      bottom: 50,
    })),
    xAxis: panels.map((_, gridIndex) => ({
      type: 'value' as const,
      gridIndex,
      min: 'dataMin',
      max: 'dataMax',
      name: x,
      nameLocation: 'middle' as const,
      nameGap: 28,
      splitLine: { show: false },
    })),
    yAxis: panels.map((_, gridIndex) => ({
      type: 'value' as const,
      gridIndex,
      min: 0,
      ...(yMax !== undefined && { max: yMax }),
      name: gridIndex === 0 ? y : '',
      nameLocation: 'middle' as const,
      nameGap: 34,
    })),
    series: panels.flatMap(({ lines }, index) =>
      lines.map(({ name, points }) => ({
        type: 'line' as const,
        name,
        xAxisIndex: index,
        yAxisIndex: index,
        showSymbol: false,
        data: points.map(([at, value]) => [at, Number(value.toFixed(3))]),
        lineStyle: { width: name === 'default' ? 3 : 1.5 },
        ...(goal !== undefined && { markLine: goalLine('yAxis', goal) }),
      })),
    ),
  });
}

/** Groups of horizontal bars, as SVG. */
export function barPlot({ title, x, categories, bars, goal }: BarPlot): string {
  return render(1_000, 120 + categories.length * 34, {
    ...BASE,
    color: ['#1f77b4', '#ff7f0e'],
    title: { text: title, left: 'center', top: 8, textStyle: { fontSize: 16 } },
    legend: { top: 36 },
    grid: { left: 230, right: 60, top: 70, bottom: 50 },
    xAxis: { type: 'value', name: x, nameLocation: 'middle', nameGap: 28 },
    yAxis: { type: 'category', inverse: true, data: [...categories] },
    series: bars.map(({ name, values }) => ({
      type: 'bar' as const,
      name,
      data: values.map((value) => Number(value.toFixed(2))),
      label: { show: true, position: 'right' as const },
      markLine: goalLine('xAxis', goal),
    })),
  });
}

function goalLine(axis: 'xAxis' | 'yAxis', at: number) {
  return {
    silent: true,
    symbol: 'none',
    label: {
      formatter: 'goal',
      color: GREY,
      position: axis === 'xAxis' ? ('end' as const) : ('insideEndTop' as const),
    },
    lineStyle: { type: 'dashed' as const, color: GREY },
    data: [axis === 'xAxis' ? { xAxis: at } : { yAxis: at }],
  };
}

function render(width: number, height: number, option: EChartsOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    return `${chart.renderToSVGString()}\n`;
  } finally {
    chart.dispose();
  }
}
