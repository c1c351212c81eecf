import type { Screen } from './screen.ts';
import type { ServiceReport } from './service-protocol.ts';

/** What the panel shows. */
export interface PanelView {
  readonly seconds: number;
  /** Since when the collector is down, in seconds since the demo began; `undefined` while it is up. */
  readonly downSince: number | undefined;
  readonly without: ServiceReport;
  readonly guarded: ServiceReport;
}

const PROBE_EVERY = 10;
const COLOURS = { CLOSED: 'green', OPEN: 'red', HALF_OPEN: 'yellow' } as const;
const COLUMNS = ['made', 'delivered', 'kept', 'lost'] as const;

/** The panel, a line each. */
export function panelLines(screen: Screen, { seconds, downSince, without, guarded }: PanelView): string[] {
  const collector =
    downSince === undefined
      ? screen.style('green', 'UP')
      : screen.style('red', `DOWN for ${(seconds - downSince).toFixed(1)} s`);
  const head = ['spans', ...COLUMNS]
    .map((name, n) => (n === 0 ? name.padEnd(20) : name.padStart(11)))
    .join('');
  return [
    '',
    `  collector ${collector}`,
    `  ${screen.style('dim', `${head}   circuit`)}`,
    `  ${numbers(screen, 'without the library', without)}`,
    `  ${numbers(screen, 'with the library', guarded)}   ${circuit(screen, guarded)}`,
  ];
}

/** The same in one line, where nothing can be drawn over. */
export function panelLine({ without, guarded }: Pick<PanelView, 'without' | 'guarded'>): string {
  const part = (label: string, { made, delivered, kept, lost }: ServiceReport) =>
    `${label}: made ${made}, delivered ${delivered}, kept ${kept}, lost ${lost}`;
  return `${part('without', without)} | ${part('with', guarded)}, ${guarded.state}`;
}

function numbers(screen: Screen, label: string, report: ServiceReport): string {
  const cells = COLUMNS.map((name) => {
    const text = report[name].toLocaleString('en-US').padStart(11);
    return name === 'lost' && report.lost > 0 ? screen.style('red', text) : text;
  });
  return label.padEnd(20) + cells.join('');
}

function circuit(screen: Screen, report: ServiceReport): string {
  if (report.state === null) return '';
  const state = screen.style(COLOURS[report.state], report.state);
  if (report.state === 'HALF_OPEN') return `${state}, a probe is under way`;
  if (report.state !== 'OPEN') return state;
  const left = PROBE_EVERY - (report.attempts % PROBE_EVERY);
  return `${state}, next probe in ${left} ${left === 1 ? 'batch' : 'batches'} or sooner`;
}
