import { grouped } from '../simulation/explain-run.ts';
import type { Run } from '../simulation/run-simulation.ts';

/** A line of a plot. The colors are names of CSS variables of the page. */
export interface PlotLine {
  readonly label: string;
  readonly color: '--pg-with' | '--pg-without' | '--pg-kept' | '--pg-lost';
  readonly dashed: boolean;
  readonly values: readonly number[];
}

export interface PlotData {
  readonly title: string;
  /** What there is to see, for those who do not see it. */
  readonly summary: string;
  readonly lines: readonly PlotLine[];
}

/** What the page plots of a run. What is dashed is the bare exporter's. */
export function plotsOf({ guarded, bare }: Run): readonly PlotData[] {
  return [
    {
      title: 'Load on the backend, exports a second',
      summary: `At most ${peak(guarded.series.load)} with the library, ${peak(bare.series.load)} without.`,
      lines: [
        line('with the library', '--pg-with', guarded.series.load),
        line('without', '--pg-without', bare.series.load, true),
      ],
    },
    {
      title: 'Spans delivered',
      summary: `${grouped(guarded.account.delivered.items)} with the library, ${grouped(bare.account.delivered.items)} without.`,
      lines: [
        line('with the library', '--pg-with', guarded.series.delivered),
        line('without', '--pg-without', bare.series.delivered, true),
      ],
    },
    {
      title: 'Spans kept and lost',
      summary: `At most ${peak(guarded.series.kept)} kept. Lost: ${grouped(guarded.account.lost.items)} with the library, ${grouped(bare.account.lost.items)} without.`,
      lines: [
        line('kept', '--pg-kept', guarded.series.kept),
        line('lost with the library', '--pg-lost', guarded.series.lost),
        line('lost without', '--pg-without', bare.series.lost, true),
      ],
    },
  ];
}

/** The values nearest to a moment, for the table beside the story. */
export function valuesAt({ times, guarded, bare }: Run, seconds: number): Record<'guarded' | 'bare', Values> {
  const found = times.findIndex((time) => time >= seconds);
  const index = found < 0 ? times.length - 1 : found;
  const of = ({ series }: Run['bare']): Values => ({
    delivered: series.delivered[index] ?? 0,
    kept: series.kept[index] ?? 0,
    lost: series.lost[index] ?? 0,
  });
  return { guarded: of(guarded), bare: of(bare) };
}

export interface Values {
  readonly delivered: number;
  readonly kept: number;
  readonly lost: number;
}

function line(label: string, color: PlotLine['color'], values: readonly number[], dashed = false): PlotLine {
  return { label, color, dashed, values };
}

function peak(values: readonly number[]): string {
  return grouped(Number(values.reduce((highest, each) => Math.max(highest, each), 0).toFixed(1)));
}
