import type { Cell } from '../support/table.ts';
import { csv, figure, markdownTable } from '../support/table.ts';
import type { CellResult } from './cell.ts';
import type { Setup, Wrapping } from './protocol.ts';
import { SETUPS } from './protocol.ts';

const COLUMNS = [
  ...['', 'made', 'delivered', 'lost', 'of these by the processor', 'duplicated', 'requests'],
  ...['exporter calls', 'CPU, s', 'peak RSS, MB', 'loop delay p99, ms', 'error handler', 'to open, s'],
  ...['to deliver again, s', 'SIGTERM to exit, s', 'of these `sdk.shutdown()`', 'state then'],
];

function values(result: CellResult): Cell[] {
  const { report, delivered, duplicated, millisToOpen, millisToDeliver, exitMillis } = result;
  return [
    ...[report.made, delivered, report.made - delivered, report.made - report.offered, duplicated].map(whole),
    ...[report.requests, report.exporterCalls].map(whole),
    ...[report.cpuSeconds, report.peakMegabytes, report.eventLoopDelayP99Millis].map(figure),
    whole(report.errorHandlerCalls),
    ...[millisToOpen, millisToDeliver, exitMillis, report.sdkShutdownMillis].map(inSeconds),
    report.stateAtSigterm,
  ];
}

/** What a row is called. */
export function shownAs({ wrapping, queue }: Setup): string {
  return SETUPS.find((row) => row.wrapping === wrapping && row.queue === queue)?.shown ?? wrapping;
}

/** One table an outage. */
export function tables(results: readonly CellResult[]): string {
  return [...new Set(results.map(({ outage }) => outage))]
    .map((outage) => {
      const rows = results
        .filter((result) => result.outage === outage)
        .map((result) => [shownAs(result.setup), ...values(result)]);
      return `### ${outage}\n\n${markdownTable(COLUMNS, rows)}`;
    })
    .join('\n\n');
}

export function toCsv(results: readonly CellResult[]): string {
  const rows = results.map((result) => [
    result.outage,
    result.setup.wrapping,
    result.setup.queue,
    ...values(result).map((cell) => String(cell ?? '').replaceAll(',', '')),
  ]);
  return csv(['outage', 'wrapping', 'queue', ...COLUMNS.slice(1)], rows);
}

/** What the tables say; each line names its numbers. */
export function verdict(results: readonly CellResult[]): string {
  const inOutage = (outage: string): readonly CellResult[] =>
    results.filter((result) => result.outage === outage);
  const find = (cells: readonly CellResult[], wrapping: Wrapping): CellResult | undefined =>
    cells.find(({ setup }) => setup.wrapping === wrapping && setup.queue === 'default');
  return [
    ...['flapping 5 s / 5 s', 'back after 20 s'].flatMap((outage) => losses(outage, inOutage(outage))),
    ...['refused', 'hang', '503'].flatMap((outage) => requests(outage, inOutage(outage))),
    ...slowExits(results),
    ...worseThanBare(results),
    ...healthyCost(find(inOutage('healthy'), 'nothing'), find(inOutage('healthy'), 'retention')),
  ].join('\n');
}

function losses(outage: string, cells: readonly CellResult[]): string[] {
  const own = cells.filter(({ setup }) => setup.wrapping === 'retention');
  if (own.length === 0) return [];
  const told = own.map(({ setup, report, delivered }) => {
    const lost = report.made - delivered;
    return `${shownAs(setup)} ${whole(lost)} of ${whole(report.made)}${lost === 0 ? '' : ` (**missed**, ${whole(report.made - report.offered)} of them by the processor)`}`;
  });
  return [`- lost with retention, ${outage} (goal: 0): ${told.join('; ')}.`];
}

function requests(outage: string, cells: readonly CellResult[]): string[] {
  const bare = cells.find(({ setup }) => setup.wrapping === 'nothing');
  if (bare === undefined) return [];
  const others = cells
    .filter(({ setup }) => setup.wrapping !== 'nothing' && setup.queue === 'default')
    .map(
      ({ setup, report }) =>
        `${shownAs(setup)} ${whole(report.requests)} (${percent(report.requests, bare.report.requests)})`,
    );
  return [
    `- requests under ${outage}: without a breaker ${whole(bare.report.requests)} (100 %); ${others.join('; ')}.`,
  ];
}

function slowExits(results: readonly CellResult[]): string[] {
  const retained = results.filter(({ setup }) => setup.wrapping === 'retention');
  if (retained.length === 0) return [];
  const slowest = retained.reduce((a, b) => (a.exitMillis > b.exitMillis ? a : b));
  return [
    `- SIGTERM to exit with retention: at most ${inSeconds(slowest.exitMillis)} s (${slowest.outage}, ${shownAs(slowest.setup)}).`,
  ];
}

function worseThanBare(results: readonly CellResult[]): string[] {
  const worse = results.flatMap((result) => {
    if (['nothing', 'opossum'].includes(result.setup.wrapping)) return [];
    const bare = results.find(
      ({ outage, setup }) =>
        outage === result.outage && setup.wrapping === 'nothing' && setup.queue === result.setup.queue,
    );
    if (bare === undefined || bare.delivered === 0) return [];
    const [lost, lostBare] = [result, bare].map(({ report, delivered }) => report.made - delivered);
    if (lost === undefined || lostBare === undefined || lost <= lostBare) return [];
    return `${result.outage}, ${shownAs(result.setup)}: ${whole(lost)} instead of ${whole(lostBare)}`;
  });
  return worse.length === 0
    ? []
    : [
        `- where more is lost than without a breaker: ${worse.join('; ')}. What an open circuit rejects is lost unless it is kept.`,
      ];
}

function healthyCost(bare: CellResult | undefined, ours: CellResult | undefined): string[] {
  if (bare === undefined || ours === undefined) return [];
  const [a, b] = [bare.report, ours.report];
  return [
    `- while healthy retention costs ${figure(b.cpuSeconds - a.cpuSeconds)} s of CPU in ${figure(a.cpuSeconds)} s, and ${figure(b.peakMegabytes - a.peakMegabytes)} MB of RSS: within the difference of two runs.`,
  ];
}

function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

function percent(part: number, all: number): string {
  return `${figure((100 * part) / all)} %`;
}

function inSeconds(millis: number | undefined): string | undefined {
  return millis === undefined ? undefined : figure(millis / 1_000);
}
